-- Each mailing of the campaigns that have ended and that no model was trained on: whether it was
-- redeemed, and how many coupons the household had redeemed before it.
-- Filled in: events, jobs, zone, after, seen_until.
WITH mailings AS (
    SELECT
        events.user_id,
        events.job_id,
        jobs.title,
        jobs.opened_at,
        min(events.occurred_at) AS mailed_at
    FROM $events AS events
    INNER JOIN $jobs AS jobs USING (job_id)
    WHERE
        events.event_type = 'mailing'
        AND (events.occurred_at AT TIME ZONE $zone)::DATE > $after
        AND jobs.closed_at <= $seen_until
    GROUP BY ALL
),

redemptions AS (
    SELECT user_id, job_id, occurred_at
    FROM $events
    WHERE event_type = 'redemption'
)

SELECT
    mailings.user_id,
    mailings.job_id,
    (mailings.mailed_at AT TIME ZONE $zone)::DATE AS dt,
    mailings.title,
    coalesce(bool_or(
        redemptions.job_id = mailings.job_id AND redemptions.occurred_at >= mailings.mailed_at
    ), false) AS redeemed,
    count(redemptions.job_id) FILTER (redemptions.occurred_at < mailings.mailed_at)::INTEGER
        AS redeemed_before
FROM mailings
LEFT JOIN redemptions USING (user_id)
GROUP BY mailings.user_id, mailings.job_id, mailings.mailed_at, mailings.title
