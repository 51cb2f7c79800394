-- For sources without impressions: the first sign of interest of a pair on a day stands for
-- "shown and liked"; negatives.sql adds what else could have been shown. Jobs of examples must have
-- opened by the time the day began, like those: else a missing feature would tell the label.
-- Filled in: zone, window_days, as_of, first_day, last_day, positive_types, counted.
WITH first_signs AS (
    SELECT
        user_id,
        job_id,
        (occurred_at AT TIME ZONE $zone)::DATE AS dt,
        min(occurred_at) AS shown_at
    FROM known_events
    WHERE event_type IN $positive_types AND $counted
    GROUP BY user_id, job_id, (occurred_at AT TIME ZONE $zone)::DATE
)

SELECT
    first_signs.user_id,
    first_signs.job_id,
    first_signs.dt,
    first_signs.shown_at,
    NULL::INTEGER AS position,
    first_signs.user_id || '|' || first_signs.job_id || '|' || first_signs.dt AS slate,
    false AS by_text,
    first_signs.dt BETWEEN $first_day AND $last_day
    AND first_signs.shown_at + INTERVAL $window_days DAY <= $as_of
    AND coalesce(
        is_open(jobs.opened_at, NULL, first_signs.dt::TIMESTAMP AT TIME ZONE $zone), false
    ) AS is_example
FROM first_signs
LEFT JOIN jobs
    ON first_signs.job_id = jobs.job_id
    AND first_signs.dt >= jobs.from_day
    AND first_signs.dt < jobs.to_day
