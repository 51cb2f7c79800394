-- The ids that no snapshot before the one of a day has, and that it loses when it is replaced: that
-- they were known stays, from the day from which they counted.
WITH replaced AS (
    SELECT $key, min(valid_from) AS _cp_known_from
    FROM $captured
    WHERE dt = DATE $day AND present IS NOT NULL
    GROUP BY ALL
)

SELECT $key, _cp_known_from AS valid_from, false AS present
FROM replaced
WHERE $key NOT IN (SELECT $key FROM $captured WHERE dt < DATE $day)
    AND NOT EXISTS (
        SELECT 1 FROM $rows AS _cp_rows
        WHERE _cp_rows.$key = replaced.$key AND _cp_rows.valid_from <= replaced._cp_known_from
    )
