SELECT $columns, $source AS _cp_source, _cp_read.file_row_number + 1 AS _cp_row,
    (($before + CAST(_cp_read.file_index AS BIGINT)) << 40) + _cp_read.file_row_number AS _cp_ordinal,
    $folder AS _cp_folder
FROM read_parquet([$files], filename = '_cp_source', hive_partitioning = false) AS _cp_read($names)
