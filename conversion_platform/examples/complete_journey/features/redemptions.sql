-- level: user
-- Redemptions by a household of the campaigns that it was mailed within 90 days before the day.
SELECT
    days.dt,
    events.user_id,
    count(DISTINCT events.job_id) FILTER (events.event_type = 'mailing') AS campaigns_90d,
    count(DISTINCT events.job_id) FILTER (events.event_type = 'redemption')
        AS redeemed_campaigns_90d
FROM days
INNER JOIN events
    ON events.known_at < days.as_of
    AND events.occurred_at >= days.as_of - INTERVAL 90 DAY
WHERE events.event_type IN ('mailing', 'redemption')
GROUP BY days.dt, events.user_id
