-- The messages that each user received within 7 and $days days before each day: those delivered
-- before it began.
CREATE OR REPLACE TEMP TABLE feature_texts AS
SELECT
    t.user_id,
    d.day,
    count_if(t.day >= d.dt - 7)::INTEGER AS texts_7d,
    count(*)::INTEGER AS texts_28d
FROM $delivered AS t
INNER JOIN feature_days AS d ON t.day BETWEEN d.dt - $days AND d.dt - 1
GROUP BY t.user_id, d.day
