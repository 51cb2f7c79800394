SELECT DISTINCT reason, detail
FROM (
    SELECT cell['column'] AS name, cell['reason'] AS reason, cell['detail'] AS detail
    FROM (SELECT unnest(_cp_cells) AS cell FROM steps.${source}_flagged)
    UNION ALL
    SELECT _cp_column, _cp_reason, _cp_detail FROM steps.${source}_flagged
)
WHERE name = $column AND detail IS NOT NULL
ORDER BY ALL
LIMIT 10000
