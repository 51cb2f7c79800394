-- The events of the range and of the 90 days before it, fifteen bytes each: who, what, the day on
-- which it became known, and what it counts as (1 impression, 2 click, 4 conversion; added up, with 8
-- more if it came through one of our messages).
--
-- An event counts from the morning after it became known: `known_before` D 00:00 is `day < D`. What
-- is recorded later than the settings allow has no day. Days are integers: days since 1970-01-01.
--
-- Outer joins, and what does not count left for the view to drop: a filter or an inner join before
-- the join by user would take the dictionary of ids away, and with it half of the speed.
CREATE OR REPLACE TEMP TABLE feature_known AS
WITH dated AS (
    SELECT
        e.user_id,
        e.job_id,
        ($known_on - DATE '1970-01-01')::USMALLINT AS day,
        ($kinds)::UTINYINT AS kinds
    FROM feature_source_events AS e
    INNER JOIN $partitions AS p ON e.dt = p.dt
)

SELECT
    u.user_code,
    j.job_code,
    j.category_code,
    e.day,
    e.kinds
FROM dated AS e
LEFT JOIN feature_user_codes AS u ON e.user_id = u.user_id
LEFT JOIN feature_job_versions AS j
    ON e.job_id = j.job_id AND e.day >= j.since AND e.day < j.until;

CREATE OR REPLACE TEMP VIEW feature_events AS
SELECT *
FROM feature_known
WHERE user_code IS NOT NULL AND day IS NOT NULL AND kinds < 8;

-- What came through our messages is counted apart, so that sending does not move the rates that the
-- model reads. A table, because these are few.
CREATE OR REPLACE TEMP TABLE feature_text_events AS
SELECT user_code, job_code, day, kinds
FROM feature_known
WHERE user_code IS NOT NULL AND day IS NOT NULL AND kinds >= 8;

-- Apart, because the join takes as long as all the rest and most counts have no use for it.
CREATE OR REPLACE TEMP VIEW feature_paid_events AS
SELECT
    e.*,
    j.pay_cents
FROM feature_events AS e
LEFT JOIN feature_job_versions AS j
    ON e.job_code = j.job_code AND e.day >= j.since AND e.day < j.until
