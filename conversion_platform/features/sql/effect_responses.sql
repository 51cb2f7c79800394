-- Each pair of user and job of the days $first to $last on which it was shown or responded to: the
-- level of each factor (-1 where it has none). A day is the one on which the events became known.
-- What our own messages caused (8) does not count: nothing tells what else the user was shown.
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

pair_days AS (
    SELECT
        user_id,
        job_id,
        day,
        bool_or(kinds & 1 = 1) AS shown,
        bool_or(kinds & $response = $response) AS responded,
        min(position) FILTER (kinds & 1 = 1) AS slot
    FROM known
    WHERE
        day BETWEEN DATE '$first' AND DATE '$last'
        AND kinds & (1 | $response) > 0
        AND kinds & 8 = 0
    GROUP BY user_id, job_id, day
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
    LEFT JOIN wishes AS w
        ON d.user_id = w.user_id AND d.day >= w.from_day AND d.day < w.to_day
    LEFT JOIN offers AS o
        ON d.job_id = o.job_id AND d.day >= o.from_day AND d.day < o.to_day
    LEFT JOIN effect_categories AS cc ON o.category = cc.key
    LEFT JOIN effect_employers AS ec ON o.employer_id = ec.key
)

SELECT
    day,
    shown,
    responded,
    0::BIGINT AS "all",
    coalesce(if(slot > $last_slot, $last_slot, slot), -1)::BIGINT AS slot,
    coalesce($distance_band, -1)::BIGINT AS distance,
    coalesce($pay_band, -1)::BIGINT AS pay,
    coalesce(skill::INTEGER, -1)::BIGINT AS skill,
    coalesce(shift::INTEGER, -1)::BIGINT AS shift,
    coalesce(category_code, -1)::BIGINT AS category,
    coalesce(employer_code, -1)::BIGINT AS employer,
    coalesce(user_code * $codes + category_code, -1)::BIGINT AS user_category,
    user_code::BIGINT AS user,
    job_code::BIGINT AS job
FROM matched
