-- Every feature for each (user_id, job_id, dt) of the pairs: the one query that training, batch
-- inference and evaluation share. It adds columns and no rows.
WITH feature_known_pairs AS (
    SELECT
        e.user_id,
        e.job_id,
        $known_on AS day,
        $impression AS impression,
        e.event_type IN ($click_types) AS click,
        e.event_type IN ($conversion_types) AS conversion
    FROM $events AS e
    INNER JOIN $partitions AS p ON e.dt = p.dt
    -- Most of what was ever shown is not asked for: counting that would take most of the time.
    WHERE (e.user_id, e.job_id) IN (SELECT (a.user_id, a.job_id) FROM $pairs AS a)
        AND NOT $by_text
),

feature_daily_pairs AS (
    SELECT
        user_id,
        job_id,
        day,
        count_if(impression)::INTEGER AS impressions,
        count_if(click)::INTEGER AS clicks,
        count_if(conversion)::INTEGER AS conversions
    FROM feature_known_pairs
    WHERE day BETWEEN DATE '$first' - 28 AND DATE '$last' - 1
    GROUP BY user_id, job_id, day
),

feature_pair_changes AS (
    SELECT
        user_id,
        job_id,
        greatest(day + 1, DATE '$first') AS starts,
        if(day >= DATE '$first' - 7, impressions, 0) AS impressions_7d,
        impressions AS impressions_28d,
        clicks AS clicks_28d,
        conversions AS conversions_28d
    FROM feature_daily_pairs
    UNION ALL
    SELECT user_id, job_id, day + 8, -impressions, 0, 0, 0
    FROM feature_daily_pairs
    WHERE day + 8 BETWEEN DATE '$first' + 1 AND DATE '$last'
    UNION ALL
    SELECT user_id, job_id, day + 29, 0, -impressions, -clicks, -conversions
    FROM feature_daily_pairs
    WHERE day + 29 BETWEEN DATE '$first' + 1 AND DATE '$last'
),

feature_pair_steps AS (
    SELECT
        user_id,
        job_id,
        starts,
        sum(impressions_7d)::INTEGER AS impressions_7d,
        sum(impressions_28d)::INTEGER AS impressions_28d,
        sum(clicks_28d)::INTEGER AS clicks_28d,
        sum(conversions_28d)::INTEGER AS conversions_28d
    FROM feature_pair_changes
    GROUP BY user_id, job_id, starts
),

feature_history AS (
    SELECT
        user_id,
        job_id,
        starts,
        lead(starts, 1, DATE '$last' + 1) OVER so_far AS until,
        sum(impressions_7d) OVER so_far AS impressions_7d,
        sum(impressions_28d) OVER so_far AS impressions_28d,
        sum(clicks_28d) OVER so_far AS clicks_28d,
        sum(conversions_28d) OVER so_far AS conversions_28d
    FROM feature_pair_steps
    WINDOW so_far AS (PARTITION BY user_id, job_id ORDER BY starts)
),

feature_wishes AS (
$wishes
),

feature_offers AS (
$offers
),

-- Of each day one row: the effects of the bands, in lists that their numbers point into.
feature_band_effects AS (
    SELECT
        dt,
        max(effect) FILTER (factor = 'all') AS everybody,
        list(effect ORDER BY level::INTEGER) FILTER (factor = 'texts') AS texts,
        list(effect ORDER BY level::INTEGER) FILTER (factor = 'distance') AS distance,
        list(effect ORDER BY level::INTEGER) FILTER (factor = 'pay') AS pay,
        list(effect ORDER BY level::INTEGER) FILTER (factor = 'skill') AS skill,
        list(effect ORDER BY level::INTEGER) FILTER (factor = 'shift') AS shift
    FROM $effects
    WHERE factor IN ('all', 'texts', 'distance', 'pay', 'skill', 'shift')
    GROUP BY dt
),

feature_matched AS (
    SELECT
        p.*,
        $level_features,
        j.job_category_click_rate_90d AS _prior_click_rate,
        j.job_category_conversion_rate_90d AS _prior_conversion_rate,
        j.job_category_action_share_90d AS _prior_action_share,
        u.user_clicks_90d + u.user_conversions_90d AS _user_actions_90d,
        u.user_clicked_pay_90d AS _clicked_pay,
        coalesce(c.impressions_28d, 0) AS _category_impressions_28d,
        coalesce(c.clicks_28d, 0) AS _category_clicks_28d,
        coalesce(c.conversions_28d, 0) AS _category_conversions_28d,
        coalesce(c.impressions_90d, 0) AS _category_impressions_90d,
        coalesce(c.clicks_90d, 0) AS _category_clicks_90d,
        coalesce(c.conversions_90d, 0) AS _category_conversions_90d,
        coalesce(c.effect, 0) AS _category_effect,
        coalesce(u.user_texts_7d, 0) AS _texts,
        coalesce(u.user_pay_slope, 0) AS _pay_slope,
        coalesce(u.user_distance_slope, 0) AS _distance_slope,
        b AS _bands,
        coalesce(u.user_effect, 0) + coalesce(j.job_effect, 0) + coalesce(j.job_employer_effect, 0)
            + coalesce(j.job_category_effect, 0) AS _effects,
        coalesce(h.impressions_7d, 0) AS _impressions_7d,
        coalesce(h.impressions_28d, 0) AS _impressions_28d,
        coalesce(h.clicks_28d, 0) AS _clicks_28d,
        coalesce(h.conversions_28d, 0) AS _conversions_28d,
        o.pay - w.desired_pay AS _pay_difference,
        o.pay / w.desired_pay AS _pay_ratio,
        o.pay AS _pay,
        w.shift IN ('any', o.shift) AS _shift_match,
        contains(w.skills, o.skill) AS _skill_match,
        w.region = o.region AS _same_region,
        distance_km(w.latitude, w.longitude, o.latitude, o.longitude) AS _distance_km
    FROM $pairs AS p
    -- Narrow tables first, so that rows are wide for as short as possible.
    LEFT JOIN feature_offers AS o
        ON p.job_id = o.job_id AND p.dt >= o.from_day AND p.dt < o.to_day
    LEFT JOIN feature_history AS h
        ON
            p.user_id = h.user_id
            AND p.job_id = h.job_id
            AND p.dt >= h.starts
            AND p.dt < h.until
    LEFT JOIN $user_category_features AS c
        ON p.dt = c.dt AND p.user_id = c.user_id AND o.category = c.category
    LEFT JOIN feature_wishes AS w
        ON p.user_id = w.user_id AND p.dt >= w.from_day AND p.dt < w.to_day
    LEFT JOIN feature_band_effects AS b ON p.dt = b.dt
    LEFT JOIN $user_features AS u ON p.dt = u.dt AND p.user_id = u.user_id
    LEFT JOIN $job_features AS j ON p.dt = j.dt AND p.job_id = j.job_id
),

feature_banded AS (
    SELECT
        *,
        _bands.texts[least(_texts, $most_texts)::INTEGER + 1] AS _texts_effect,
        _bands.distance[$distance_band + 1] AS _distance_effect,
        _bands.pay[$pay_band + 1] AS _pay_effect,
        _bands.skill[_skill_match::INTEGER + 1] AS _skill_effect,
        _bands.shift[_shift_match::INTEGER + 1] AS _shift_effect,
        if(_bands.everybody IS NULL, NULL, _pay_slope) * $pay_measure AS _user_pay_effect,
        if(_bands.everybody IS NULL, NULL, _distance_slope) * $distance_measure
            AS _user_distance_effect
    FROM feature_matched
)

SELECT
    m.* EXCLUDE ($unlisted),
    _category_impressions_90d::FLOAT AS category_impressions_90d,
    _category_clicks_90d::FLOAT AS category_clicks_90d,
    _category_conversions_90d::FLOAT AS category_conversions_90d,
    (
        (_category_clicks_28d + $shrinkage * _prior_click_rate)
        / (_category_impressions_28d + $shrinkage)
    )::FLOAT AS category_click_rate_28d,
    (
        (_category_clicks_90d + $shrinkage * _prior_click_rate)
        / (_category_impressions_90d + $shrinkage)
    )::FLOAT AS category_click_rate_90d,
    (
        (_category_conversions_28d + $shrinkage * _prior_conversion_rate)
        / (_category_impressions_28d + $shrinkage)
    )::FLOAT AS category_conversion_rate_28d,
    (
        (_category_conversions_90d + $shrinkage * _prior_conversion_rate)
        / (_category_impressions_90d + $shrinkage)
    )::FLOAT AS category_conversion_rate_90d,
    (
        (_category_clicks_90d + _category_conversions_90d + _prior_action_share)
        / (_user_actions_90d + 1)
    )::FLOAT AS category_action_share_90d,
    _impressions_7d::FLOAT AS pair_impressions_7d,
    _impressions_28d::FLOAT AS pair_impressions_28d,
    _clicks_28d::FLOAT AS pair_clicks_28d,
    _conversions_28d::FLOAT AS pair_conversions_28d,
    _pay_difference::FLOAT AS pay_difference,
    _pay_ratio::FLOAT AS pay_ratio,
    (_pay - _clicked_pay)::FLOAT AS pay_against_clicked,
    _shift_match::INTEGER::FLOAT AS shift_match,
    _skill_match::INTEGER::FLOAT AS skill_match,
    _same_region::INTEGER::FLOAT AS same_region,
    -- least() skips NULLs.
    if(_distance_km IS NULL, NULL, least(_distance_km, $max_distance_km))::FLOAT AS distance_km,
    isodow(dt)::FLOAT AS day_of_week,
    if(_bands.everybody IS NULL, NULL, _category_effect)::FLOAT AS category_effect,
    _texts_effect::FLOAT AS texts_effect,
    _distance_effect::FLOAT AS distance_effect,
    _pay_effect::FLOAT AS pay_effect,
    _skill_effect::FLOAT AS skill_effect,
    _shift_effect::FLOAT AS shift_effect,
    _user_pay_effect::FLOAT AS user_pay_effect,
    _user_distance_effect::FLOAT AS user_distance_effect,
    (
        _bands.everybody + _effects + _category_effect + _texts_effect
        + coalesce(_distance_effect, 0) + coalesce(_pay_effect, 0) + coalesce(_skill_effect, 0) + coalesce(_shift_effect, 0)
        + coalesce(_user_pay_effect, 0) + coalesce(_user_distance_effect, 0)
    )::FLOAT AS expected_log_odds
FROM feature_banded AS m
