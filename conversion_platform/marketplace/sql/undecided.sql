-- Ids of which nothing says which row counts, though their rows differ: some have no moment, or of those
-- of the last moment some have no time of writing, or several have the last.
WITH copies AS (
    SELECT $key AS _cp_id, $content AS _cp_content, $moment AS _cp_moment, $written AS _cp_written,
        $together AS _cp_together
    FROM steps.${source}_flagged
    WHERE (_cp_reason IS NULL OR _cp_reason = 'duplicate_id') AND $wanted
), ranked AS (
    SELECT *,
        rank() OVER (
            PARTITION BY _cp_id, _cp_together ORDER BY _cp_moment DESC NULLS FIRST
        ) AS place,
        rank() OVER (
            PARTITION BY _cp_id, _cp_together
            ORDER BY _cp_moment DESC NULLS FIRST, _cp_written DESC NULLS FIRST
        ) AS written_place
    FROM copies
)
SELECT _cp_id, bool_or(_cp_moment IS NULL) AS is_missing
FROM ranked
GROUP BY _cp_id, _cp_together
HAVING count(DISTINCT _cp_content) > 1 AND (
    is_missing
    OR count(DISTINCT _cp_content) FILTER (place = 1) > 1 AND (
        bool_or(_cp_written IS NULL) FILTER (place = 1)
        OR count(DISTINCT _cp_content) FILTER (written_place = 1) > 1
    )
)
ORDER BY _cp_id
