-- Stand-ins for assignments: some members of each cohort, each with some job. Members and jobs are
-- drawn by hash: the same every time, and spread over the whole tables.
WITH sampled AS (
    SELECT
        user_id,
        cohort,
        row_number() OVER (PARTITION BY cohort ORDER BY md5(user_id)) AS place
    FROM $members
),
numbered AS (
    SELECT
        job_id,
        row_number() OVER (ORDER BY md5(job_id)) - 1 AS place,
        count(*) OVER () AS jobs
    FROM $jobs
)
SELECT
    md5(sampled.user_id) AS assignment_id,
    sampled.user_id,
    numbered.job_id,
    sampled.cohort,
    'treatment' AS arm,
    tried_times.send_at
FROM sampled
JOIN $users AS users USING (user_id)
JOIN tried_times
    ON tried_times.cohort = sampled.cohort
    AND tried_times.time_zone IS NOT DISTINCT FROM users.time_zone
JOIN numbered ON numbered.place = sampled.place % numbered.jobs
WHERE sampled.place <= $most
