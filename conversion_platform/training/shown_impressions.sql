-- Impressions whose attribution window had ended; the same pair at the same time counts once.
-- Filled in: zone, window_days, as_of, first_day, last_day, impression_types.
SELECT
    user_id,
    job_id,
    (occurred_at AT TIME ZONE $zone)::DATE AS dt,
    occurred_at AS shown_at,
    min(position) AS position,
    user_id || '|' || (occurred_at AT TIME ZONE $zone)::DATE AS slate
FROM known_events
WHERE event_type IN $impression_types
  AND (occurred_at AT TIME ZONE $zone)::DATE BETWEEN $first_day AND $last_day
  AND occurred_at + INTERVAL $window_days DAY <= $as_of
GROUP BY user_id, job_id, occurred_at
