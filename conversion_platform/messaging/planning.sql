-- The treatment arm of one day with what decides about a message and what fills its template.
SELECT
    assigned.assignment_id,
    assigned.user_id,
    assigned.job_id,
    assigned.cohort,
    assigned.send_at,
    users.phone,
    users.time_zone,
    users.state,
    users.postal_code,
    users.consent_at,
    users.consent_source,
    users.consent_text,
    jobs.title,
    jobs.pay,
    jobs.category,
    jobs.employer_id AS employer,
    jobs.region,
    jobs.shift,
    distance_km(users.latitude, users.longitude, jobs.latitude, jobs.longitude) AS distance
FROM messaging_assigned AS assigned
LEFT JOIN messaging_users AS users USING (user_id)
LEFT JOIN messaging_jobs AS jobs USING (job_id)
WHERE assigned.arm = 'treatment'
ORDER BY assigned.user_id
