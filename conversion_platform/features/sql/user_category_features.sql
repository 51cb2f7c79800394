-- One row per user and category of job, for one day: where the user was shown, clicked or converted
-- anything in the category within 90 days. A user without a row has zeros.
SELECT
    u.user_id,
    c.category,
    w.impressions_28d,
    w.clicks_28d,
    w.conversions_28d,
    w.impressions_90d,
    w.clicks_90d,
    w.conversions_90d
FROM feature_user_category_windows AS w
CROSS JOIN feature_day AS d
INNER JOIN feature_users AS u
    ON w.user_code = u.user_code AND d.dt >= u.from_day AND d.dt < u.to_day
INNER JOIN feature_categories AS c ON w.category_code = c.category_code
WHERE
    w.impressions_90d + w.clicks_90d + w.conversions_90d > 0
    AND is_present(u.created_at, u.left_at, d.as_of)
