SELECT * EXCLUDE (_cp_flagged, _cp_flag) FROM steps.${source}_staged WHERE NOT _cp_flagged
UNION ALL BY NAME
SELECT * EXCLUDE (_cp_source, _cp_row, _cp_ordinal, _cp_reason, _cp_column, _cp_detail, _cp_cells,
    _cp_json, _cp_repeated, _cp_past)
FROM steps.${source}_flagged WHERE _cp_reason IS NULL AND NOT _cp_past
