SELECT $columns,
    _cp_flagged,
    CASE WHEN _cp_flagged THEN CAST(to_json({
        '_cp_source': _cp_source, '_cp_row': _cp_row, '_cp_ordinal': _cp_ordinal,
        '_cp_reason': split_part(_cp_problem, '|', 1),
        '_cp_column': nullif(split_part(_cp_problem, '|', 2), ''),
        '_cp_detail': CASE split_part(_cp_problem, '|', 2) $details END,
        '_cp_cells': list_filter([$cells], lambda cell: cell IS NOT NULL),
        '_cp_json': CASE WHEN _cp_problem IS NOT NULL OR _cp_twice THEN $row END
    }) AS VARCHAR) END AS _cp_flag
FROM (
    SELECT *, coalesce(_cp_problem IS NOT NULL OR _cp_twice OR $unread, false) AS _cp_flagged
    FROM (
        SELECT *, hash(_cp_$key) IN (SELECT _cp_id FROM steps.${source}_ids) AS _cp_twice
        FROM steps.${source}_checked
        WHERE $wanted
    )
)
