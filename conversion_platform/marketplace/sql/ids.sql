SELECT $id AS _cp_id
FROM steps.${source}_reasons
WHERE $wanted
GROUP BY ALL
HAVING count(*) > 1
