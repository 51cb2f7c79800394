SELECT $units
