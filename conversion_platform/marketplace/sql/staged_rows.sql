SELECT $columns, _cp_source, $number AS _cp_row, _cp_read.file_row_number AS _cp_ordinal,
    $folder AS _cp_folder
FROM read_parquet($file, hive_partitioning = false) AS _cp_read($names)
