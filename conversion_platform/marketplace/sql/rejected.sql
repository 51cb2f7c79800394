SELECT dt, _cp_source AS source,
    coalesce(_cp_row, row_number() OVER (
        PARTITION BY dt, _cp_source, _cp_row IS NULL ORDER BY _cp_json, _cp_reason
    )) AS row_number,
    _cp_reason AS reason, _cp_column AS column_name, _cp_detail AS detail, _cp_json AS row_json
FROM (
    SELECT $dt AS dt, _cp_source, _cp_row, _cp_reason, _cp_column, _cp_detail, _cp_json
    FROM steps.${source}_flagged WHERE _cp_reason IS NOT NULL
    UNION ALL
    SELECT * FROM (
        SELECT $broken_dt AS dt, _cp_source, _cp_row, 'broken_line', NULL, detail,
            CAST(to_json({'line': line}) AS VARCHAR)
        FROM steps.${source}_broken
    ) WHERE $wanted
)
