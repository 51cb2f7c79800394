-- Counts by $keys over the windows that end before the first day of a range, a pass for each.
CREATE OR REPLACE TEMP TABLE $target AS
SELECT
    $keys,
    $counts
FROM (
    SELECT $keys
    FROM feature_events
    WHERE day BETWEEN $from AND $to AND $last_key IS NOT NULL
    GROUP BY $keys
)
$windows
