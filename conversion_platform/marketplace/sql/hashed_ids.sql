SELECT _cp_id FROM steps.${source}_ids WHERE _cp_id IS NOT NULL
UNION ALL
SELECT _cp_$key AS _cp_id
FROM steps.${source}_kept
WHERE $wanted AND ($id) IS NULL
GROUP BY ALL
HAVING count(*) > 1
