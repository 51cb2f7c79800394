-- The messages of one day, with everything that was delivered from `as_of` on changed: half of it
-- never was, half of what never was is, and each message of before is delivered once more.
SELECT
    message_id,
    user_id,
    job_id,
    CASE
        WHEN delivered_at < TIMESTAMPTZ '$as_of' THEN delivered_at
        WHEN md5_number_lower(message_id || '$seed') % 2 = 0
            THEN TIMESTAMPTZ '$as_of' + INTERVAL 1 HOUR
    END AS delivered_at
FROM $sent
UNION ALL BY NAME
SELECT
    message_id || '-again' AS message_id,
    user_id,
    job_id,
    TIMESTAMPTZ '$as_of' + INTERVAL 1 HOUR AS delivered_at
FROM $sent
WHERE delivered_at < TIMESTAMPTZ '$as_of'
