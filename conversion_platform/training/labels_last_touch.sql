-- Labels of each row of `drawn`, as known on the day of the training: each click and conversion is
-- credited once, to the last showing of its pair before it, if that is within the attribution window.
-- Showings that are no examples take their credit too, and drawn jobs, which were not shown, take
-- none. What came through one of our messages belongs to that message: an earlier showing by other
-- means did not cause it.
-- Filled in: window_days, click_types, conversion_types, reaction_types.
WITH reactions AS (
    SELECT
        user_id,
        job_id,
        occurred_at,
        by_text,
        event_type IN $click_types AS is_click,
        event_type IN $conversion_types AS is_conversion
    FROM known_events
    WHERE event_type IN $reaction_types
),

touches AS (
    SELECT user_id, job_id, shown_at, slate, unnest(if(by_text, [false, true], [false])) AS for_text
    FROM showings
    SEMI JOIN reactions USING (user_id, job_id)
),

credited AS (
    SELECT
        touches.user_id,
        touches.job_id,
        touches.shown_at,
        touches.slate,
        bool_or(reactions.is_click) AS clicked,
        bool_or(reactions.is_conversion) AS converted
    FROM reactions
    ASOF INNER JOIN touches
        ON reactions.user_id = touches.user_id
        AND reactions.job_id = touches.job_id
        AND reactions.by_text = touches.for_text
        AND reactions.occurred_at >= touches.shown_at
    WHERE reactions.occurred_at < touches.shown_at + INTERVAL $window_days DAY
    GROUP BY touches.user_id, touches.job_id, touches.shown_at, touches.slate
)

SELECT
    drawn.*,
    coalesce(credited.clicked, false) AS clicked,
    coalesce(credited.converted, false) AS converted
FROM drawn
LEFT JOIN credited USING (user_id, job_id, shown_at, slate)
