-- One row per user, for one day: everyone who joined by the end of the day, and had not left when it
-- began. Who joins on the day has the static features of that day, and counts of 0.
SELECT
    u.user_id,
    coalesce(w.impressions_1d, 0) AS user_impressions_1d,
    coalesce(w.impressions_7d, 0) AS user_impressions_7d,
    coalesce(w.impressions_28d, 0) AS user_impressions_28d,
    coalesce(w.clicks_1d, 0) AS user_clicks_1d,
    coalesce(w.clicks_7d, 0) AS user_clicks_7d,
    coalesce(w.clicks_28d, 0) AS user_clicks_28d,
    coalesce(w.clicks_90d, 0) AS user_clicks_90d,
    coalesce(w.conversions_1d, 0) AS user_conversions_1d,
    coalesce(w.conversions_7d, 0) AS user_conversions_7d,
    coalesce(w.conversions_28d, 0) AS user_conversions_28d,
    coalesce(w.conversions_90d, 0) AS user_conversions_90d,
    coalesce(e.text_clicks, 0) AS user_text_clicks_28d,
    coalesce(e.text_conversions, 0) AS user_text_conversions_28d,
    coalesce(t.texts_7d, 0) AS user_texts_7d,
    coalesce(t.texts_28d, 0) AS user_texts_28d,
    feature_rate(user_clicks_1d, user_impressions_1d, r.click_rate) AS user_click_rate_1d,
    feature_rate(user_clicks_7d, user_impressions_7d, r.click_rate) AS user_click_rate_7d,
    feature_rate(user_clicks_28d, user_impressions_28d, r.click_rate) AS user_click_rate_28d,
    feature_rate(user_clicks_90d, coalesce(w.impressions_90d, 0), r.click_rate)
        AS user_click_rate_90d,
    feature_rate(user_conversions_1d, user_impressions_1d, r.conversion_rate)
        AS user_conversion_rate_1d,
    feature_rate(user_conversions_7d, user_impressions_7d, r.conversion_rate)
        AS user_conversion_rate_7d,
    feature_rate(user_conversions_28d, user_impressions_28d, r.conversion_rate)
        AS user_conversion_rate_28d,
    feature_rate(user_conversions_90d, coalesce(w.impressions_90d, 0), r.conversion_rate)
        AS user_conversion_rate_90d,
    feature_days_since(d.day, w.event_day) AS user_days_since_event,
    feature_days_since(d.day, w.click_day) AS user_days_since_click,
    feature_days_since(d.day, w.conversion_day) AS user_days_since_conversion,
    if(u.created_at >= d.as_of, 0, feature_age(d.as_of, u.created_at))::FLOAT AS user_tenure_days,
    (w.clicked_cents_90d / nullif(w.priced_clicks_90d, 0) / 100)::FLOAT AS user_clicked_pay_90d,
    x.effect AS user_effect,
    xp.effect AS user_pay_slope,
    xd.effect AS user_distance_slope,
    u.desired_pay::FLOAT AS user_desired_pay,
    $region AS user_region,
    $shift AS user_shift$attributes$custom_columns
FROM feature_users AS u
CROSS JOIN feature_day AS d
LEFT JOIN feature_user_windows AS w ON u.user_code = w.user_code
LEFT JOIN feature_effects AS x ON x.factor = 'user' AND u.user_id = x.user_id
LEFT JOIN feature_effects AS xp ON xp.factor = 'user_pay' AND u.user_id = xp.user_id
LEFT JOIN feature_effects AS xd ON xd.factor = 'user_distance' AND u.user_id = xd.user_id
LEFT JOIN feature_text_counts AS e ON u.user_code = e.user_code
LEFT JOIN feature_texts AS t ON u.user_id = t.user_id AND d.day = t.day
LEFT JOIN feature_rates AS r ON r.level = 'all'$custom_joins
WHERE
    d.dt >= u.from_day
    AND d.dt < u.to_day
    AND u.created_at < d.ends
    AND NOT has_left(u.left_at, d.as_of)
