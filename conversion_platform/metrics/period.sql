-- Users and converted users by arm over a period, each user counted once.
-- Reads `outcomes`, restricted to matured assignments of the period (and to one cohort, if given).
-- A user whose arm changed within the period (another salt or share) is left out.
-- Common subset of DuckDB and Athena.
WITH users AS (
    SELECT
        user_id,
        MIN(arm) AS arm,
        MAX(CASE WHEN converted_any_at IS NOT NULL THEN 1 ELSE 0 END) AS converted
    FROM outcomes
    GROUP BY user_id
    HAVING MIN(arm) = MAX(arm)
)
SELECT arm, COUNT(*) AS users, SUM(converted) AS converted
FROM users
GROUP BY arm
ORDER BY arm
