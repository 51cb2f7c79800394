-- Each pair of user and job of the days $first to $last on which it was shown or responded to: the
-- level of each factor (-1 where it has none). A day is the one on which the events became known.
-- A message of ours shows its job in a slot of its own. It tells of the job and of the user's taste,
-- not of how often the user responds: who never answers messages may well click on the site.
WITH known AS (
    SELECT
        e.user_id,
        e.job_id,
        e.position,
        $known_on AS day,
        $kinds AS kinds
    FROM $events AS e
    INNER JOIN $partitions AS p ON e.dt = p.dt
),

counted AS (
    SELECT
        user_id,
        job_id,
        day,
        kinds & 8 = 8 AS by_text,
        kinds & 1 = 1 AS shown,
        kinds & $response = $response AS responded,
        position
    FROM known
    WHERE kinds & (1 | $response) > 0
),

messages AS (
    SELECT user_id, job_id, day FROM $delivered
),

-- One row of each showing and of each response: organic ones, and those of messages.
parts AS (
    SELECT
        user_id,
        job_id,
        day,
        false AS by_text,
        shown,
        responded,
        CASE WHEN NOT shown THEN NULL WHEN position > $last_slot THEN $last_slot ELSE position END
            AS slot
    FROM counted
    WHERE NOT by_text
    UNION ALL
    SELECT user_id, job_id, day, true, true, false, $text_slot
    FROM messages
    UNION ALL
    SELECT c.user_id, c.job_id, c.day, true, false, c.responded, $text_slot
    FROM counted AS c
    SEMI JOIN messages AS m
        ON
            c.user_id = m.user_id
            AND c.job_id = m.job_id
            AND c.day BETWEEN m.day AND m.day + $text_days
    WHERE c.by_text
),

pair_days AS (
    SELECT
        user_id,
        job_id,
        day,
        by_text,
        bool_or(shown) AS shown,
        bool_or(responded) AS responded,
        min(slot) AS slot
    FROM parts
    WHERE day BETWEEN DATE '$first' AND DATE '$last'
    GROUP BY user_id, job_id, day, by_text
),

received AS (
    SELECT
        d.user_id,
        d.day,
        count(*) AS texts
    FROM (SELECT DISTINCT user_id, day FROM pair_days) AS d
    INNER JOIN messages AS m ON d.user_id = m.user_id AND m.day BETWEEN d.day - 7 AND d.day - 1
    GROUP BY d.user_id, d.day
),

wishes AS (
$wishes
),

offers AS (
$offers
),

matched AS (
    SELECT
        d.day,
        d.shown,
        d.responded,
        d.slot,
        d.by_text,
        coalesce(r.texts, 0) AS texts,
        uc.code AS user_code,
        jc.code AS job_code,
        cc.code AS category_code,
        ec.code AS employer_code,
        distance_km(w.latitude, w.longitude, o.latitude, o.longitude) AS distance,
        o.pay / w.desired_pay AS pay_ratio,
        contains(w.skills, o.skill) AS skill,
        w.shift IN ('any', o.shift) AS shift
    FROM pair_days AS d
    INNER JOIN effect_users AS uc ON d.user_id = uc.key
    INNER JOIN effect_jobs AS jc ON d.job_id = jc.key
    LEFT JOIN received AS r ON d.user_id = r.user_id AND d.day = r.day
    LEFT JOIN wishes AS w
        ON d.user_id = w.user_id AND d.day >= w.from_day AND d.day < w.to_day
    LEFT JOIN offers AS o
        ON d.job_id = o.job_id AND d.day >= o.from_day AND d.day < o.to_day
    LEFT JOIN effect_categories AS cc ON o.category = cc.key
    LEFT JOIN effect_employers AS ec ON o.employer_id = ec.key
),

measured AS (
    SELECT
        *,
        $pay_measure AS pay_measure,
        $distance_measure AS distance_measure
    FROM matched
)

SELECT
    day,
    shown,
    responded,
    0::BIGINT AS "all",
    coalesce(slot, -1)::BIGINT AS slot,
    if(by_text, -1, least(texts, $most_texts))::BIGINT AS texts,
    coalesce($distance_band, -1)::BIGINT AS distance,
    coalesce($pay_band, -1)::BIGINT AS pay,
    coalesce(skill::INTEGER, -1)::BIGINT AS skill,
    coalesce(shift::INTEGER, -1)::BIGINT AS shift,
    coalesce(category_code, -1)::BIGINT AS category,
    coalesce(employer_code, -1)::BIGINT AS employer,
    coalesce(user_code * $codes + category_code, -1)::BIGINT AS user_category,
    if(by_text, -1, user_code)::BIGINT AS user,
    job_code::BIGINT AS job,
    if(pay_measure IS NULL, -1, user_code)::BIGINT AS user_pay,
    coalesce(pay_measure, 0)::DOUBLE AS user_pay_measure,
    if(distance_measure IS NULL, -1, user_code)::BIGINT AS user_distance,
    coalesce(distance_measure, 0)::DOUBLE AS user_distance_measure
FROM measured
