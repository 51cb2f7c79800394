SELECT *, _cp_row - row_number() OVER lines_of AS rows_before, row_number() OVER lines_of AS lines
FROM (VALUES $lines) AS v (_cp_source, _cp_row, detail, line)
WHERE _cp_source IS NOT NULL
WINDOW lines_of AS (PARTITION BY _cp_source ORDER BY _cp_row)
