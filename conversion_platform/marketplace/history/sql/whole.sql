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
),

-- What counts from another day: between that snapshot and this one, or between this and the next.
-- An id that only was known from then on is one that this snapshot knew before it was replaced.
between_days AS (
    SELECT * EXCLUDE (dt)
    FROM (
        SELECT
            *,
            NOT present AND lag(present) OVER (
                PARTITION BY $key ORDER BY valid_from, dt
            ) IS NULL AS _cp_remembered
        FROM $captured
        WHERE dt <= DATE $day
    )
    WHERE dt = DATE $day AND valid_from <> DATE $day
)

SELECT *, DATE $day AS valid_from, true AS present FROM state
UNION ALL BY NAME
-- It would hide who is in the other snapshot from the days between, and that one knows them too.
SELECT * EXCLUDE (_cp_remembered)
FROM between_days
WHERE NOT coalesce(_cp_remembered, false) OR NOT EXISTS (
    SELECT 1 FROM $replaced AS _cp_replaced
    WHERE _cp_replaced.$key = between_days.$key
        AND _cp_replaced.valid_from <= between_days.valid_from
)
UNION ALL BY NAME
SELECT $key, DATE $day AS valid_from, CASE WHEN NOT _cp_unknown THEN false END AS present
FROM earlier
WHERE $key NOT IN (SELECT $key FROM state)
UNION ALL BY NAME
-- Whom the other snapshot will have, and no day up to this one has captured.
SELECT DISTINCT $key, DATE $day AS valid_from, CAST(NULL AS BOOLEAN) AS present
FROM $replaced
WHERE $key NOT IN (SELECT $key FROM state) AND $key NOT IN (SELECT $key FROM earlier)
UNION ALL BY NAME
-- Who was known for some days before this one, and is not now.
SELECT $key, unnest([DATE $first_day, _cp_known_until]) AS valid_from, unnest([false, NULL]) AS present
FROM $ended
WHERE $key NOT IN (SELECT $key FROM between_days WHERE valid_from < DATE $day)
