WITH seen AS (
    SELECT $key AS _cp_id, max(coalesce(_cp_folder, DATE $newest)) AS _cp_last
    FROM steps.${source}_staged
    WHERE $key IS NOT NULL
    GROUP BY ALL
)
SELECT _cp_id, _cp_next AS _cp_gone
FROM seen
JOIN steps.${source}_folders ON _cp_last = _cp_folder
WHERE _cp_next IS NOT NULL
