SELECT $columns, $source AS _cp_source, file_row_number + 1 AS _cp_row,
    (($before + CAST(file_index AS BIGINT)) << 40) + file_row_number AS _cp_ordinal,
    $folder AS _cp_folder
FROM read_parquet([$files], filename = '_cp_source', hive_partitioning = false)
