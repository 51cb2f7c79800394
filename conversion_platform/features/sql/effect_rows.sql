-- The effects in numbers (`effect_numbers`) under their ids and names, as the lake keeps them.
SELECT
    n.factor,
    coalesce(u.key, '') AS user_id,
    CASE n.factor
        WHEN 'user' THEN ''
        WHEN 'user_pay' THEN ''
        WHEN 'user_distance' THEN ''
        WHEN 'user_category' THEN c.key
        WHEN 'category' THEN c.key
        WHEN 'job' THEN j.key
        WHEN 'employer' THEN e.key
        ELSE n.key::VARCHAR
    END AS level,
    n.effect,
    n.information,
    n.prior
FROM effect_numbers AS n
LEFT JOIN effect_users AS u
    ON u.code = CASE
        WHEN n.factor IN ('user', 'user_pay', 'user_distance') THEN n.key
        WHEN n.factor = 'user_category' THEN n.key // $codes
    END
LEFT JOIN effect_categories AS c
    ON c.code = CASE n.factor WHEN 'category' THEN n.key WHEN 'user_category' THEN n.key % $codes END
LEFT JOIN effect_jobs AS j ON n.factor = 'job' AND j.code = n.key
LEFT JOIN effect_employers AS e ON n.factor = 'employer' AND e.code = n.key
