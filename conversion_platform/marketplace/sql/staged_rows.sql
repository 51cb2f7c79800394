SELECT * EXCLUDE ($excluded), _cp_source, $number AS _cp_row, file_row_number AS _cp_ordinal,
    $folder AS _cp_folder
FROM read_parquet($file, file_row_number = true, hive_partitioning = false)
