-- Counts by $keys over windows that end before each day of $first..$last.
--
-- A count changes only when a day enters or leaves a window. Running sums over those changes give
-- stretches of days with the same counts (`starts` <= day < `until`), so a range of days costs
-- little more than one day.
-- Days before the range enter all at once, on its first day.
CREATE OR REPLACE TEMP TABLE $target AS
WITH changes AS (
    SELECT
        $keys,
        greatest(day + 1, $first) AS starts,
        max(day) AS event_day,
        max(day) FILTER (WHERE click) AS click_day,
        max(day) FILTER (WHERE conversion) AS conversion_day,
        $entering
    FROM feature_events
    WHERE day BETWEEN $first - $longest AND $last - 1
    GROUP BY ALL$leaving
),

steps AS (
    SELECT
        $keys,
        starts,
        max(event_day) AS event_day,
        max(click_day) AS click_day,
        max(conversion_day) AS conversion_day,
        $sums
    FROM changes
    GROUP BY $keys, starts
)

SELECT
    $keys,
    starts,
    lead(starts, 1, $last + 1) OVER so_far AS until,
    max(event_day) OVER so_far AS event_day,
    max(click_day) OVER so_far AS click_day,
    max(conversion_day) OVER so_far AS conversion_day,
    $running_sums
FROM steps
WINDOW so_far AS (PARTITION BY $keys ORDER BY starts)
