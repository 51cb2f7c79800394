-- Every showing that is known: an impression. The same pair at the same time counts once. An example
-- is one whose attribution window had ended; a later one may still take the credit.
-- Filled in: zone, window_days, as_of, first_day, last_day, impression_types.
SELECT
    user_id,
    job_id,
    (occurred_at AT TIME ZONE $zone)::DATE AS dt,
    occurred_at AS shown_at,
    min(position) AS position,
    user_id || '|' || (occurred_at AT TIME ZONE $zone)::DATE AS slate,
    bool_or(by_text) AS by_text,
    (occurred_at AT TIME ZONE $zone)::DATE BETWEEN $first_day AND $last_day
    AND occurred_at + INTERVAL $window_days DAY <= $as_of AS is_example
FROM known_events
WHERE event_type IN $impression_types
GROUP BY user_id, job_id, occurred_at
