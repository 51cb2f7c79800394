
    UNION ALL
    SELECT
        $keys,
        day + $span + 1 AS starts,
        NULL AS event_day,
        NULL AS click_day,
        NULL AS conversion_day,
        $columns
    FROM feature_events
    WHERE day BETWEEN $first - $span AND $last - $span - 1
    GROUP BY ALL
