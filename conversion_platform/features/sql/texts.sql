-- The messages that each user received within 7 and $days days before each day: those delivered
-- before it began. Days are integers: days since 1970-01-01.
CREATE OR REPLACE TEMP TABLE feature_texts AS
WITH delivered AS (
    SELECT
        user_id,
        $local_day - DATE '1970-01-01' AS day
    FROM $sent
    WHERE delivered_at IS NOT NULL
)

SELECT
    t.user_id,
    d.day,
    count_if(t.day >= d.day - 7)::INTEGER AS texts_7d,
    count(*)::INTEGER AS texts_28d
FROM delivered AS t
INNER JOIN feature_days AS d ON t.day BETWEEN d.day - $days AND d.day - 1
GROUP BY t.user_id, d.day
