-- What an export says of a time after the next export is what that one says.
WITH told AS (
    SELECT *, $moment AS told_at
    FROM steps.${source}_flagged AS r
    WHERE _cp_reason IS NULL AND $moment IS NOT NULL AND NOT _cp_repeated AND NOT $replaced
        AND $key IN (SELECT $key FROM steps.${source}_flagged WHERE _cp_past)
    UNION ALL BY NAME
    -- Of an id with one row what it says of its time, or that the source shows it no more.
    SELECT *, $moment AS told_at
    FROM steps.${source}_accepted AS r
    WHERE $moment IS NOT NULL AND NOT $replaced AND ($single)
), filled AS (
    SELECT t.* REPLACE (coalesce(t.$start, f.$start) AS $start)
    FROM told AS t
    JOIN steps.${source}_$accepted AS f ON t.$key = f.$key
)
-- A row that says what the one before it said tells nothing new: a daily export has a row a day.
SELECT *
FROM (SELECT DISTINCT $columns, told_at, true AS present FROM filled$units)
QUALIFY lag(row($names)) OVER (PARTITION BY $key ORDER BY told_at) IS DISTINCT FROM row($names)
$gone
