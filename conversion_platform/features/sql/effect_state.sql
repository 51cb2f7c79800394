-- The effects of one day in numbers, as `effect_codes` gives them. What nobody knows any more goes.
WITH numbered AS (
    SELECT
        s.factor,
        CASE s.factor
            WHEN 'user' THEN u.code
            WHEN 'user_pay' THEN u.code
            WHEN 'user_distance' THEN u.code
            WHEN 'user_category' THEN u.code * $codes + c.code
            WHEN 'category' THEN c.code
            WHEN 'job' THEN j.code
            WHEN 'employer' THEN e.code
            ELSE TRY_CAST(s.level AS BIGINT)
        END AS number,
        s.effect,
        s.information,
        s.prior
    FROM $effects AS s
    LEFT JOIN effect_users AS u ON s.user_id = u.key
    LEFT JOIN effect_jobs AS j ON s.factor = 'job' AND s.level = j.key
    LEFT JOIN effect_employers AS e ON s.factor = 'employer' AND s.level = e.key
    LEFT JOIN effect_categories AS c
        ON s.factor IN ('user_category', 'category') AND s.level = c.key
)

SELECT *
FROM numbered
WHERE number IS NOT NULL
ORDER BY number
