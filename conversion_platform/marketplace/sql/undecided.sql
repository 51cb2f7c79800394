WITH copies AS (
    SELECT $key AS _cp_id, $content AS _cp_content, $moment AS _cp_moment
    FROM steps.${source}_flagged
    WHERE _cp_reason IS NULL OR _cp_reason = 'duplicate_id'
), ranked AS (
    SELECT *, rank() OVER (PARTITION BY _cp_id ORDER BY _cp_moment DESC NULLS FIRST) AS place
    FROM copies
)
SELECT _cp_id
FROM ranked
GROUP BY _cp_id
HAVING count(DISTINCT _cp_content) > 1
    AND (bool_or(_cp_moment IS NULL) OR count(DISTINCT _cp_content) FILTER (place = 1) > 1)
ORDER BY _cp_id
