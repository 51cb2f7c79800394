-- Counts by $keys over the windows that end before day $first: where a range starts.
--
-- Whatever the days up to $last will count is listed already, with zeros, so that later days
-- only have to update it.
CREATE OR REPLACE TEMP TABLE $target AS
SELECT
    $keys,
    $aggregates
FROM $source
WHERE day BETWEEN $first - $longest AND $last - 1 AND $last_key IS NOT NULL
GROUP BY $keys
ORDER BY $keys
