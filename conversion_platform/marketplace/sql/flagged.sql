WITH opened AS NOT MATERIALIZED (
    SELECT * EXCLUDE (_cp_flagged, _cp_flag), unnest(from_json(_cp_flag, '{
        "_cp_source": "VARCHAR", "_cp_row": "BIGINT", "_cp_ordinal": "HUGEINT",
        "_cp_reason": "VARCHAR", "_cp_column": "VARCHAR", "_cp_detail": "VARCHAR",
        "_cp_cells": [{"column": "VARCHAR", "reason": "VARCHAR", "detail": "VARCHAR"}],
        "_cp_json": "VARCHAR"}'))
    FROM steps.${source}_staged
    WHERE _cp_flagged
), ranked AS NOT MATERIALIZED (
    SELECT *, row_number() OVER (
        PARTITION BY $key, _cp_reason IS NULL, $moment ORDER BY $order
    ) AS _cp_of_moment, row_number() OVER (
        PARTITION BY $key, _cp_reason IS NULL ORDER BY $order
    ) AS _cp_of_id
    FROM opened
), told_apart AS NOT MATERIALIZED (
    SELECT * EXCLUDE (_cp_of_moment, _cp_of_id),
        _cp_reason IS NULL AND _cp_of_moment > 1 AS _cp_repeated,
        _cp_reason IS NULL AND _cp_of_id > 1 AND (_cp_of_moment > 1 OR $moment IS NULL)
            AND NOT ($older) AS _cp_copy,
        _cp_reason IS NULL AND _cp_of_id > 1 AND NOT _cp_copy AS _cp_past
    FROM ranked
)
SELECT r.* EXCLUDE (_cp_copy) REPLACE (
    r._cp_row + coalesce(b.lines, 0) AS _cp_row,
    CASE WHEN _cp_copy THEN 'duplicate_id' ELSE _cp_reason END AS _cp_reason,
    CASE WHEN _cp_copy THEN '$key' ELSE _cp_column END AS _cp_column,
    CASE WHEN _cp_copy THEN $key ELSE _cp_detail END AS _cp_detail
)
FROM told_apart AS r
ASOF LEFT JOIN (
    SELECT _cp_source, rows_before, max(lines) AS lines FROM steps.${source}_broken GROUP BY ALL
) AS b ON r._cp_source = b._cp_source AND r._cp_row > b.rows_before
