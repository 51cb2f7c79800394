-- Counts by $keys over the windows that end before a day, from those of the day before: the day
-- that has ended ($yesterday) comes in, and the days that have dropped out of a window go.
CREATE OR REPLACE TEMP TABLE feature_changes AS
SELECT
    $keys,
    $changes
FROM (
    SELECT
        $keys,
        day,
        $counted
    FROM $events
    WHERE day IN ($yesterday, $left) AND $last_key IS NOT NULL
    GROUP BY $keys, day
)
GROUP BY $keys;

-- Written anew, not updated: DuckDB keeps every updated version until the end of the session.
CREATE OR REPLACE TEMP TABLE $target AS
SELECT
    $yesterday_keys,
    $sums
FROM $target AS w
LEFT JOIN feature_changes AS c ON $same_keys
