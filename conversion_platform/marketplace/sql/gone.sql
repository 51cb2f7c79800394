WITH seen AS (
    SELECT $key AS _cp_id, max(coalesce(_cp_folder, DATE $newest)) AS _cp_last
    FROM steps.${source}_staged
    WHERE $key IS NOT NULL
    GROUP BY ALL
), folders AS (
    SELECT DISTINCT _cp_folder AS _cp_gone FROM steps.${source}_staged WHERE _cp_folder IS NOT NULL
    UNION
    SELECT DATE $newest
)
SELECT _cp_id, _cp_gone
FROM seen
ASOF JOIN folders ON _cp_last < _cp_gone
