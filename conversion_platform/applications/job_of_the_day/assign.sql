-- The assignments of one day. Reads temporary relations that assign.py creates:
--   predictions   the day's daily_predictions
--   near          assignments of the days around this one (user_id, job_id, dt), of both arms
--   converted     pairs (user_id, job_id) that converted before the day
--   members       user_id, cohort: the one cohort of each user
--   cohorts       cohort, size, min_probability
--   send_times    cohort, time_zone, send_at
--   zones         user_id, time_zone
-- Both arms pass the same rules (repeats, cap, size), so that they stay comparable; the arm is
-- drawn last.
WITH fresh AS (
    SELECT p.user_id, p.job_id, p.rank, p.score, p.probability, p.model_version
    FROM predictions AS p
    WHERE NOT EXISTS (
        SELECT 1 FROM near AS n
        WHERE n.user_id = p.user_id AND n.job_id = p.job_id
            AND abs(date_diff('day', n.dt, $day)) < $repeat_days
    )
    AND NOT EXISTS (
        SELECT 1 FROM converted AS c
        WHERE c.user_id = p.user_id AND c.job_id = p.job_id
    )
    QUALIFY row_number() OVER (PARTITION BY p.user_id ORDER BY p.rank) = 1
),
capped AS (
    -- Every window of $cap_days days that contains this one.
    SELECT near.user_id FROM near
    CROSS JOIN range($cap_days) AS stretches(after)
    WHERE date_diff('day', $day, near.dt) BETWEEN after + 1 - $cap_days AND after
    GROUP BY near.user_id, after
    HAVING count(*) >= $max_texts_per_week
),
sized AS (
    SELECT fresh.*, members.cohort
    FROM fresh
    JOIN members USING (user_id)
    JOIN cohorts USING (cohort)
    WHERE fresh.probability >= cohorts.min_probability
        AND fresh.user_id NOT IN (SELECT user_id FROM capped)
    QUALIFY row_number()
        OVER (PARTITION BY members.cohort ORDER BY fresh.probability DESC, fresh.user_id)
        <= cohorts.size
)
SELECT
    md5(CAST($day AS VARCHAR) || '|' || sized.user_id) AS assignment_id,
    sized.user_id,
    sized.job_id,
    sized.cohort,
    $arm AS arm,
    sized.probability,
    sized.score,
    sized.rank,
    send_times.send_at,
    sized.model_version
FROM sized
JOIN zones USING (user_id)
JOIN send_times
    ON send_times.cohort = sized.cohort
    AND send_times.time_zone IS NOT DISTINCT FROM zones.time_zone
