-- What users want, in the form in which it is compared with what jobs offer.
    SELECT
        user_id,
        region,
        lower(trim(shift)) AS shift,
        if(desired_pay > 0, desired_pay, NULL) AS desired_pay,
        '|' || regexp_replace(lower(trim(skills)), '\s*\|\s*', '|', 'g') || '|' AS skills,
        latitude,
        longitude,
        from_day,
        to_day
    FROM $users
