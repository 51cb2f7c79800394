-- The treatment arm of one day with what decides about a message and what fills its template. What
-- decides is the newest known: the number, the consent, zone, state and postal code, and whether the
-- job is still open. The fields of the text are those that the day saw, and so are both ends of the
-- distance: a text that is planned again says the same.
SELECT
    assigned.assignment_id,
    assigned.user_id,
    assigned.job_id,
    assigned.cohort,
    assigned.send_at,
    contacts.phone,
    newest.time_zone,
    newest.state,
    contacts.postal_code,
    newest.consent_at,
    newest.consent_source,
    contacts.consent_text,
    -- A cell that could not be read decides about the message: whether, and at what hours.
    list_has_any(
        string_split(coalesce(newest.unread_columns, ''), '|'),
        ['left_at', 'phone', 'time_zone', 'state', 'consent_at', 'valid_from']
    ) OR list_has_any(
        string_split(coalesce(newest_job.unread_columns, ''), '|'), ['closed_at', 'valid_from']
    ) AS unread,
    -- NULL in the newest job: the source does not show it any more.
    newest_job.job_id IS NULL OR newest_job.closed_at <= assigned.send_at AS closed,
    newest.left_at <= assigned.send_at AS has_left,
    jobs.title,
    jobs.pay,
    jobs.category,
    jobs.employer_id AS employer,
    jobs.region,
    jobs.shift,
    distance_km(users.latitude, users.longitude, jobs.latitude, jobs.longitude) AS distance
FROM messaging_assigned AS assigned
LEFT JOIN messaging_users_of_day AS users USING (user_id)
LEFT JOIN messaging_jobs_of_day AS jobs USING (job_id)
LEFT JOIN messaging_newest_users AS newest USING (user_id)
LEFT JOIN messaging_contacts AS contacts USING (user_id)
LEFT JOIN messaging_newest_jobs AS newest_job USING (job_id)
WHERE assigned.arm = 'treatment'
ORDER BY assigned.user_id
