-- The ids that a day's snapshot knows alone, and that are lost when it is replaced: that they were
-- known stays, from the day from which they counted. A snapshot before may have the id too, and say
-- that nobody knew it yet.
WITH replaced AS (
    SELECT $key, min(valid_from) AS _cp_known_from
    FROM $captured
    WHERE dt = DATE $day AND present IS NOT NULL
    GROUP BY ALL
),

earlier AS (
    SELECT $key, valid_from, dt, present FROM $captured WHERE dt < DATE $day
),

alone AS (
    SELECT replaced.$key, _cp_known_from
    FROM replaced
    LEFT JOIN earlier
        ON earlier.$key = replaced.$key AND earlier.valid_from <= replaced._cp_known_from
    GROUP BY ALL
    HAVING arg_max(present IS NULL, (valid_from, dt))
)

SELECT $key, _cp_known_from AS valid_from, false AS present
FROM alone
WHERE NOT EXISTS (
    SELECT 1 FROM $rows AS _cp_rows
    WHERE _cp_rows.$key = alone.$key AND _cp_rows.valid_from <= alone._cp_known_from
)
UNION ALL BY NAME
-- Until when an id was known: a snapshot that others were folded into says that for days before it.
SELECT _cp_captured.$key, valid_from, present
FROM $captured AS _cp_captured
JOIN replaced ON replaced.$key = _cp_captured.$key AND replaced._cp_known_from < _cp_captured.valid_from
WHERE dt = DATE $day AND valid_from <= DATE $day AND present IS NULL
    AND _cp_captured.$key NOT IN (SELECT $key FROM $rows)
