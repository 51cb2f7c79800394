-- The events that lie in the same windows, counted together; see `few_keys` in windows.py.
SELECT
    * EXCLUDE (stretch),
    kinds & 1 = 1 AS impression,
    kinds & 2 = 2 AS click,
    kinds & 4 = 4 AS conversion
FROM (
    SELECT
        $keys,
        kinds,
        CASE
            WHEN day >= $first THEN 0
            $cases
        END AS stretch,
        max(day) AS day,
        $measures
    FROM $events
    WHERE day BETWEEN $first - $longest AND $last - 1 AND $condition
    GROUP BY $keys, kinds, stretch
)
