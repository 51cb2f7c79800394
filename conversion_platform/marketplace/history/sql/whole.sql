-- All rows of a day's snapshot, not only those that changed since the snapshot before.
WITH state AS (
    SELECT * FROM $state
),

earlier AS (
    SELECT $key FROM $captured WHERE dt < DATE $day
    UNION
    SELECT $key FROM $replaced
)

SELECT *, DATE $day AS valid_from, true AS present FROM state
UNION ALL BY NAME
-- What counts from another day: between that snapshot and this one, or between this and the next.
SELECT * EXCLUDE (dt) FROM $captured WHERE dt = DATE $day AND valid_from <> DATE $day
UNION ALL BY NAME
SELECT $key, DATE $day AS valid_from, false AS present
FROM earlier
WHERE $key NOT IN (SELECT $key FROM state)
