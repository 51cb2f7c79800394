WITH told AS (
    SELECT *, $moment AS told_at
    FROM steps.${source}_flagged
    WHERE _cp_reason IS NULL AND $moment IS NOT NULL AND $key IN (SELECT $key FROM steps.${source}_flagged WHERE _cp_past)
    $single
)
SELECT DISTINCT $columns, told_at
FROM (
    SELECT t.* REPLACE (coalesce(t.$start, f.$start) AS $start)
    FROM told AS t
    JOIN steps.${source}_final AS f ON t.$key = f.$key
)
