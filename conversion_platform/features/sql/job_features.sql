-- One row per job, for one day: every job opened by the end of the day, unless it had closed more
-- than 60 days before. A closing that had not happened when the day began is not looked at.
WITH kept_jobs AS (
    SELECT
        j.*,
        d.dt,
        d.day,
        d.as_of,
        is_open(j.opened_at, j.closed_at, d.as_of) AS open_at_start
    FROM feature_jobs AS j
    CROSS JOIN feature_day AS d
    WHERE
        j.is_shown
        AND j.opened_at < d.ends
        AND coalesce(j.closed_at >= d.as_of - INTERVAL 60 DAY, true)
),

counted AS (
    SELECT
        p.*,
        coalesce(w.impressions_1d, 0) AS impressions_1d,
        coalesce(w.impressions_7d, 0) AS impressions_7d,
        coalesce(w.impressions_28d, 0) AS impressions_28d,
        coalesce(w.clicks_1d, 0) AS clicks_1d,
        coalesce(w.clicks_7d, 0) AS clicks_7d,
        coalesce(w.clicks_28d, 0) AS clicks_28d,
        coalesce(w.conversions_1d, 0) AS conversions_1d,
        coalesce(w.conversions_7d, 0) AS conversions_7d,
        coalesce(w.conversions_28d, 0) AS conversions_28d,
        coalesce(t.text_clicks, 0) AS text_clicks_28d,
        coalesce(t.text_conversions, 0) AS text_conversions_28d,
        w.event_day,
        w.click_day,
        w.conversion_day,
        r.click_rate,
        r.conversion_rate,
        r.clicks_90d + r.conversions_90d AS actions_90d,
        feature_rate(coalesce(w.clicks_28d, 0), coalesce(w.impressions_28d, 0), r.click_rate)
            AS click_rate_28d,
        feature_rate(
            coalesce(w.conversions_28d, 0), coalesce(w.impressions_28d, 0), r.conversion_rate
        ) AS conversion_rate_28d
    FROM kept_jobs AS p
    LEFT JOIN feature_job_windows AS w ON p.job_code = w.job_code
    LEFT JOIN feature_text_counts AS t ON p.job_code = t.job_code
    LEFT JOIN feature_rates AS r ON r.level = 'all'
)

SELECT
    d.job_id,
    d.open_at_start,
    d.impressions_1d AS job_impressions_1d,
    d.impressions_7d AS job_impressions_7d,
    d.impressions_28d AS job_impressions_28d,
    d.clicks_1d AS job_clicks_1d,
    d.clicks_7d AS job_clicks_7d,
    d.clicks_28d AS job_clicks_28d,
    d.conversions_1d AS job_conversions_1d,
    d.conversions_7d AS job_conversions_7d,
    d.conversions_28d AS job_conversions_28d,
    d.text_clicks_28d AS job_text_clicks_28d,
    d.text_conversions_28d AS job_text_conversions_28d,
    feature_rate(d.clicks_1d, d.impressions_1d, d.click_rate) AS job_click_rate_1d,
    feature_rate(d.clicks_7d, d.impressions_7d, d.click_rate) AS job_click_rate_7d,
    d.click_rate_28d AS job_click_rate_28d,
    feature_rate(d.conversions_1d, d.impressions_1d, d.conversion_rate) AS job_conversion_rate_1d,
    feature_rate(d.conversions_7d, d.impressions_7d, d.conversion_rate) AS job_conversion_rate_7d,
    d.conversion_rate_28d AS job_conversion_rate_28d,
    feature_days_since(d.day, d.event_day) AS job_days_since_event,
    feature_days_since(d.day, d.click_day) AS job_days_since_click,
    feature_days_since(d.day, d.conversion_day) AS job_days_since_conversion,
    if(d.opened_at >= d.as_of, 0, feature_age(d.as_of, d.opened_at))::FLOAT
        AS job_age_days,
    CASE WHEN d.open_at_start THEN
        percent_rank() OVER (
            PARTITION BY d.region, d.open_at_start
            ORDER BY d.conversion_rate_28d DESC, d.click_rate_28d DESC
        )::FLOAT
    END AS job_popularity_rank,
    feature_group_rate(d.category_code, c.clicks_28d, c.impressions_28d, d.click_rate)
        AS job_category_click_rate_28d,
    feature_group_rate(d.category_code, c.conversions_28d, c.impressions_28d, d.conversion_rate)
        AS job_category_conversion_rate_28d,
    feature_group_rate(d.category_code, c.clicks_90d, c.impressions_90d, d.click_rate)
        AS job_category_click_rate_90d,
    feature_group_rate(d.category_code, c.conversions_90d, c.impressions_90d, d.conversion_rate)
        AS job_category_conversion_rate_90d,
    if(
        d.category_code IS NULL,
        NULL,
        coalesce(c.clicks_90d + c.conversions_90d, 0) / nullif(d.actions_90d, 0)
    )::FLOAT AS job_category_action_share_90d,
    feature_group_rate(d.employer_code, e.clicks_28d, e.impressions_28d, d.click_rate)
        AS job_employer_click_rate_28d,
    feature_group_rate(d.employer_code, e.conversions_28d, e.impressions_28d, d.conversion_rate)
        AS job_employer_conversion_rate_28d,
    xj.effect AS job_effect,
    xe.effect AS job_employer_effect,
    xc.effect AS job_category_effect,
    d.pay::FLOAT AS job_pay,
    d.openings::FLOAT AS job_openings,
    $category AS job_category,
    $region AS job_region,
    $shift AS job_shift$attributes$custom_columns
FROM counted AS d
LEFT JOIN feature_effects AS xj ON xj.factor = 'job' AND d.job_id = xj.level
LEFT JOIN feature_effects AS xe ON xe.factor = 'employer' AND d.employer_id = xe.level
LEFT JOIN feature_effects AS xc ON xc.factor = 'category' AND d.category = xc.level
LEFT JOIN feature_rates AS c
    ON d.category_code = c.category_code AND c.level = 'category'
LEFT JOIN feature_rates AS e
    ON d.employer_code = e.employer_code AND e.level = 'employer'$custom_joins
