-- Labels of each row of `drawn`: clicks and conversions in its attribution window, as known on the
-- day of the training. A conversion counts for every showing that it follows within the window.
-- Filled in: window_days, click_types, conversion_types.
SELECT
    drawn.*,
    coalesce(reactions.clicked, false) AS clicked,
    coalesce(reactions.converted, false) AS converted
FROM drawn
LEFT JOIN (
    SELECT
        drawn.user_id,
        drawn.job_id,
        drawn.shown_at,
        drawn.slate,
        bool_or(known_events.event_type IN $click_types) AS clicked,
        bool_or(known_events.event_type IN $conversion_types) AS converted
    FROM drawn
    INNER JOIN known_events
        ON drawn.user_id = known_events.user_id
        AND drawn.job_id = known_events.job_id
        AND known_events.occurred_at >= drawn.shown_at
        AND known_events.occurred_at < drawn.shown_at + INTERVAL $window_days DAY
    WHERE known_events.event_type IN $reaction_types
    GROUP BY drawn.user_id, drawn.job_id, drawn.shown_at, drawn.slate
) AS reactions USING (user_id, job_id, shown_at, slate)
