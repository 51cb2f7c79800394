-- Counts by $keys over the windows that end before the first day of a range, a pass for each.
CREATE OR REPLACE TEMP TABLE $target AS
SELECT
    $keys,
    $counts
FROM $windows
