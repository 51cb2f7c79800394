-- Each row of the snapshots with the days on which it counts: from `from_day` until before `to_day`.
-- Days before the first snapshot see the rows of that one, and days before an attribute was first
-- captured see the first that is known of it.
WITH captured AS (
    SELECT * FROM $captured
),

listed AS (
    SELECT $listed FROM captured
),

dated AS (
    SELECT
        $columns,
        present,
        CASE
            WHEN dt = DATE $first_captured AND valid_from <= dt AND present
                AND count(*) FILTER (WHERE present) OVER versions = 1
                THEN DATE $first_day
            ELSE valid_from
        END AS from_day,
        lead(valid_from, 1, DATE $no_end) OVER versions AS to_day
    FROM captured
    CROSS JOIN listed
    WINDOW versions AS (PARTITION BY $key ORDER BY valid_from, dt)
)

SELECT * EXCLUDE (present)
FROM dated
WHERE present AND from_day < to_day
