-- What became of each assignment: its message, and the clicks and conversions within the window.
-- A message that went out stays, and stays treated, also when its day was assigned anew without it.
-- $window days from the moment of sending, or of would-be sending; $as_of is when we look.
WITH assigned AS (
    SELECT
        DATE '$day' AS dt,
        assignment_id,
        m.message_id,
        coalesce(m.user_id, a.user_id) AS user_id,
        -- A message that was under way when the day was assigned anew is about its own job.
        coalesce(m.job_id, a.job_id) AS job_id,
        coalesce(m.cohort, a.cohort) AS cohort,
        if(m.sent_at IS NULL, a.arm, '$treatment') AS arm,
        a.model_version,
        m.state,
        coalesce(a.send_at, m.send_at) AS send_at,
        m.sent_at,
        m.delivered_at,
        m.opted_out_at,
        coalesce(m.sent_at, a.send_at) AS opens_at,
        coalesce(m.sent_at, a.send_at) + INTERVAL '$window days' AS closes_at
    FROM outcome_assignments AS a
    FULL JOIN outcome_messages AS m USING (assignment_id)
    WHERE a.user_id IS NOT NULL OR m.sent_at IS NOT NULL
),
reactions AS (
    SELECT
        a.assignment_id,
        min(e.occurred_at) FILTER (
            e.event_type IN ($click_types) AND e.job_id = a.job_id
        ) AS clicked_at,
        min(e.occurred_at) FILTER (
            e.event_type IN ($conversion_types) AND e.job_id = a.job_id
        ) AS converted_at,
        min(e.occurred_at) FILTER (
            e.event_type IN ($conversion_types)
        ) AS converted_any_at
    FROM assigned AS a
    JOIN outcome_events AS e
        ON e.user_id = a.user_id
        AND e.occurred_at >= a.opens_at
        AND e.occurred_at < a.closes_at
    WHERE known_before(e.occurred_at, e.recorded_at, $as_of)
    GROUP BY a.assignment_id
)
SELECT
    a.dt,
    a.assignment_id,
    a.message_id,
    a.user_id,
    a.job_id,
    a.cohort,
    a.arm,
    a.model_version,
    a.state,
    a.send_at,
    a.sent_at,
    a.delivered_at,
    r.clicked_at,
    r.converted_at,
    r.converted_any_at,
    a.opted_out_at,
    a.closes_at <= $as_of AS matured
FROM assigned AS a
LEFT JOIN reactions AS r USING (assignment_id)
