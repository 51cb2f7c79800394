-- What jobs offer, in the form in which it is compared with what users want.
    SELECT
        job_id,
        region,
        category,
        employer_id,
        lower(trim(shift)) AS shift,
        pay,
        '|' || lower(trim(category)) || '|' AS skill,
        latitude,
        longitude,
        from_day,
        to_day
    FROM $jobs
