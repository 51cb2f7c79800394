-- One row per user and category of job, for one day: where the user was shown, clicked or converted
-- anything in the category within 90 days, or has an effect. A user without a row has zeros.
WITH counted AS (
    SELECT
        uc.user_id,
        c.category,
        w.* EXCLUDE (user_code, category_code)
    FROM feature_user_category_windows AS w
    INNER JOIN feature_user_codes AS uc ON w.user_code = uc.user_code
    INNER JOIN feature_categories AS c ON w.category_code = c.category_code
    WHERE w.impressions_90d + w.clicks_90d + w.conversions_90d > 0
),

effects AS (
    SELECT user_id, level AS category, effect
    FROM feature_effects
    WHERE factor = 'user_category'
)

SELECT
    u.user_id,
    category,
    coalesce(w.impressions_28d, 0) AS impressions_28d,
    coalesce(w.clicks_28d, 0) AS clicks_28d,
    coalesce(w.conversions_28d, 0) AS conversions_28d,
    coalesce(w.impressions_90d, 0) AS impressions_90d,
    coalesce(w.clicks_90d, 0) AS clicks_90d,
    coalesce(w.conversions_90d, 0) AS conversions_90d,
    coalesce(x.effect, 0)::FLOAT AS effect
FROM counted AS w
FULL JOIN effects AS x USING (user_id, category)
CROSS JOIN feature_day AS d
INNER JOIN feature_users AS u
    ON user_id = u.user_id AND d.dt >= u.from_day AND d.dt < u.to_day
WHERE is_present(u.created_at, u.left_at, d.as_of)
