-- The events of the range and of the 90 days before it, fifteen bytes each: who, what, the day on
-- which it became known, and what it counts as (1 impression, 2 click, 4 conversion; added up).
--
-- An event counts from the morning after it is both past and recorded:
-- greatest(occurred_at, recorded_at) < D 00:00 local, which is `day < D`. Nearly every event is
-- known on the day of its partition, so the calendar is asked only for the late ones.
-- Days are integers: days since 1970-01-01.
CREATE OR REPLACE TEMP TABLE feature_known AS
WITH dated AS (
    SELECT
        e.user_id,
        e.job_id,
        e.event_type,
        CASE
            WHEN greatest(e.occurred_at, e.recorded_at) < p.ends THEN p.day
            ELSE
                (greatest(e.occurred_at, e.recorded_at) AT TIME ZONE '$zone')::DATE
                - DATE '1970-01-01'
        END AS day,
        p.day AS partition_day
    FROM feature_source_events AS e
    INNER JOIN feature_partitions AS p ON e.dt = p.dt
)

SELECT
    u.user_code,
    j.job_code,
    j.category_code,
    e.day::USMALLINT AS day,
    (
        if($impression, 1, 0)
        + if(e.event_type IN ($click_types), 2, 0)
        + if(e.event_type IN ($conversion_types), 4, 0)
    )::UTINYINT AS kinds
FROM dated AS e
INNER JOIN feature_users AS u ON e.user_id = u.user_id
LEFT JOIN feature_jobs AS j ON e.job_id = j.job_id
WHERE e.day - e.partition_day <= $late_days AND e.day < $last;

CREATE OR REPLACE TEMP VIEW feature_events AS
SELECT
    *,
    kinds & 1 = 1 AS impression,
    kinds & 2 = 2 AS click,
    kinds & 4 = 4 AS conversion
FROM feature_known;

-- Apart, because the join takes as long as all the rest and most counts have no use for it.
CREATE OR REPLACE TEMP VIEW feature_paid_events AS
SELECT
    e.*,
    j.pay_cents
FROM feature_events AS e
LEFT JOIN feature_jobs AS j ON e.job_code = j.job_code
