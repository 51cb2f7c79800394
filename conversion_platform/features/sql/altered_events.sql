-- The events of the days around `as_of`, with everything that became known after it changed:
-- a quarter is gone, a quarter is something else, earlier events happen again, and events of the
-- days before arrive late. What was known before `as_of` is as it was.
WITH numbered AS (
    SELECT
        *,
        known_before(occurred_at, recorded_at, TIMESTAMPTZ '$as_of') AS known,
        md5_number_lower(event_id || '$seed') % 4 AS fate,
        lead(user_id, 1, user_id) OVER (ORDER BY md5(event_id), event_id) AS other_user,
        lead(job_id, 1, job_id) OVER (ORDER BY md5(event_id), event_id) AS other_job
    FROM $events
)

SELECT * EXCLUDE (known, fate, other_user, other_job)
FROM numbered
WHERE known OR fate = 0
UNION ALL BY NAME
SELECT
    * EXCLUDE (known, fate, other_user, other_job)
    REPLACE (
        other_user AS user_id,
        other_job AS job_id,
        [$types][1 + (md5_number_upper(event_id) % $types_count)::INTEGER] AS event_type
    )
FROM numbered
WHERE NOT known AND fate = 1
UNION ALL BY NAME
SELECT
    * EXCLUDE (known, fate, other_user, other_job)
    REPLACE (
        event_id || '-again' AS event_id,
        occurred_at + INTERVAL ($again_days) DAY AS occurred_at,
        recorded_at + INTERVAL ($again_days) DAY AS recorded_at,
        ((occurred_at + INTERVAL ($again_days) DAY) AT TIME ZONE '$zone')::DATE AS dt
    )
FROM numbered
WHERE
    known
    AND occurred_at + INTERVAL ($again_days) DAY >= TIMESTAMPTZ '$as_of'
    AND ((occurred_at + INTERVAL ($again_days) DAY) AT TIME ZONE '$zone')::DATE <= DATE '$last'
UNION ALL BY NAME
SELECT
    * EXCLUDE (known, fate, other_user, other_job)
    REPLACE (
        event_id || '-late' AS event_id,
        TIMESTAMPTZ '$as_of' + INTERVAL 1 HOUR AS recorded_at
    )
FROM numbered
WHERE known AND dt >= DATE '$late_from'
