read_csv([$files], auto_detect = false, header = $header, skip = $skip, compression = $compression,
    delim = $delimiter, quote = '"', escape = '"', columns = {$columns}, nullstr = [''],
    hive_partitioning = false, $errors)
