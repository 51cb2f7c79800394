-- For sources without impressions: the first sign of interest of a pair on a day stands for
-- "shown and liked"; negatives.sql adds what else could have been shown. Jobs must have opened
-- by the time the day began, like those: else a missing feature would tell the label.
-- Filled in: zone, window_days, as_of, first_day, last_day, positive_types.
SELECT
    user_id,
    job_id,
    (occurred_at AT TIME ZONE $zone)::DATE AS dt,
    min(occurred_at) AS shown_at,
    NULL::INTEGER AS position,
    user_id || '|' || job_id || '|' || (occurred_at AT TIME ZONE $zone)::DATE AS slate
FROM known_events
SEMI JOIN jobs
    ON known_events.job_id = jobs.job_id
    AND known_events.dt >= jobs.from_day
    AND known_events.dt < jobs.to_day
    AND is_open(jobs.opened_at, NULL, known_events.dt::TIMESTAMP AT TIME ZONE $zone)
WHERE event_type IN $positive_types
  AND (occurred_at AT TIME ZONE $zone)::DATE BETWEEN $first_day AND $last_day
GROUP BY user_id, job_id, (occurred_at AT TIME ZONE $zone)::DATE
HAVING min(occurred_at) + INTERVAL $window_days DAY <= $as_of
