-- For sources without impressions: the first click or conversion of a pair on a day is taken as a
-- positive impression; negatives.sql adds other jobs that could have been shown. Jobs must have been
-- open, and users present, when the day began: else a missing feature would reveal the label.
-- Filled in: zone, window_days, as_of, first_day, last_day, positive_types.
SELECT
    user_id,
    job_id,
    (occurred_at AT TIME ZONE {zone})::DATE AS dt,
    min(occurred_at) AS shown_at,
    NULL::INTEGER AS position,
    user_id || '|' || job_id || '|' || (occurred_at AT TIME ZONE {zone})::DATE AS slate
FROM known_events
SEMI JOIN jobs
    ON known_events.job_id = jobs.job_id
    AND jobs.opened_at < ((known_events.occurred_at AT TIME ZONE {zone})::DATE)::TIMESTAMP AT TIME ZONE {zone}
WHERE event_type IN {positive_types}
  AND (occurred_at AT TIME ZONE {zone})::DATE BETWEEN {first_day} AND {last_day}
GROUP BY user_id, job_id, (occurred_at AT TIME ZONE {zone})::DATE
HAVING min(occurred_at) + INTERVAL {window_days} DAY <= {as_of}
