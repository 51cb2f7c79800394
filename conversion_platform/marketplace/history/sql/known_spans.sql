-- From when until before when each id counts as known: a snapshot that was replaced may know it on
-- days of its own, before the one that captured it first.
SELECT $key, _cp_known_from, _cp_known_until
FROM (
    SELECT
        $key,
        present IS NOT NULL AS _cp_known,
        CASE WHEN dt = DATE $first_captured THEN DATE $first_day ELSE valid_from END AS _cp_known_from,
        coalesce(
            min(CASE WHEN present IS NULL THEN valid_from END) OVER (
                PARTITION BY $key ORDER BY valid_from, dt
                ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
            ),
            DATE $no_end
        ) AS _cp_known_until
    FROM $captured
    WHERE $key IN $ids
)
WHERE _cp_known
