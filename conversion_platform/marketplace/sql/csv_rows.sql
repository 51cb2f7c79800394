SELECT $columns, $source AS _cp_source, row_number() OVER () - $before AS _cp_row,
    ($number << 40) + row_number() OVER () - $before AS _cp_ordinal, $folder AS _cp_folder
FROM $call AS _cp_read
