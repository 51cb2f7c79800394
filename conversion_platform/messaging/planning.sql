-- The treatment arm of one day with what decides about a message and what fills its template.
SELECT
    assigned.assignment_id,
    assigned.user_id,
    assigned.job_id,
    assigned.cohort,
    assigned.send_at,
    contacts.phone,
    users.time_zone,
    users.state,
    contacts.postal_code,
    users.consent_at,
    users.consent_source,
    contacts.consent_text,
    -- A cell that could not be read decides about the message: whether, and at what hours.
    list_has_any(
        string_split(coalesce(users.unread_columns, ''), '|'),
        ['left_at', 'phone', 'time_zone', 'state', 'consent_at']
    ) OR list_contains(string_split(coalesce(jobs.unread_columns, ''), '|'), 'closed_at') AS unread,
    jobs.title,
    jobs.pay,
    jobs.category,
    jobs.employer_id AS employer,
    jobs.region,
    jobs.shift,
    distance_km(contacts.latitude, contacts.longitude, jobs.latitude, jobs.longitude) AS distance
FROM messaging_assigned AS assigned
LEFT JOIN messaging_users AS users USING (user_id)
LEFT JOIN messaging_contacts AS contacts USING (user_id)
LEFT JOIN messaging_jobs AS jobs USING (job_id)
WHERE assigned.arm = 'treatment'
ORDER BY assigned.user_id
