-- The events of one window by key and kind: what the few rows of `windows_joined` are made from.
-- A condition for each count, asked of every event, would take twice as long.
SELECT
    $keys,
    kinds,
    max(day) AS day,
    count(*) AS events
FROM feature_events
WHERE day BETWEEN $from AND $to AND $known
GROUP BY $keys, kinds
