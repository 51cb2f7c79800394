-- All rows of a day's snapshot, not only those that changed since the snapshot before.
WITH state AS (
    SELECT * FROM $state
),

-- Whether the newest row of an id says that nobody knew it yet.
earlier AS (
    SELECT $key, arg_max(present IS NULL, (valid_from, dt)) AS _cp_unknown
    FROM $captured
    WHERE dt < DATE $day OR (dt = DATE $day AND valid_from <= DATE $day)
    GROUP BY ALL
)

SELECT *, DATE $day AS valid_from, true AS present FROM state
UNION ALL BY NAME
-- What counts from another day: between that snapshot and this one, or between this and the next.
SELECT * EXCLUDE (dt) FROM $captured WHERE dt = DATE $day AND valid_from <> DATE $day
UNION ALL BY NAME
SELECT $key, DATE $day AS valid_from, CASE WHEN NOT _cp_unknown THEN false END AS present
FROM earlier
WHERE $key NOT IN (SELECT $key FROM state)
UNION ALL BY NAME
-- Whom the other snapshot will have, and no day up to this one has captured.
SELECT DISTINCT $key, DATE $day AS valid_from, CAST(NULL AS BOOLEAN) AS present
FROM $replaced
WHERE $key NOT IN (SELECT $key FROM state) AND $key NOT IN (SELECT $key FROM earlier)
