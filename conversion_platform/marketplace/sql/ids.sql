SELECT DISTINCT _cp_id
FROM (
    SELECT _cp_id, lag(_cp_id) OVER (ORDER BY _cp_id) AS _cp_before
    FROM (SELECT $id AS _cp_id FROM steps.${source}_$rows WHERE $wanted)
)
WHERE _cp_id IS NOT DISTINCT FROM _cp_before
