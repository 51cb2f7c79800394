-- The slates of `kept`, each with up to $negatives other jobs that were open at that moment,
-- in the user's region when user and job both have one. Drawn by hash, so that
-- they are reproducible. Draws are with replacement and then made distinct: a small pool gives fewer.
-- A job of `taken` that the user showed interest in then, or within the window, is not drawn: it has a
-- row of its own, which has the label.
-- Filled in: zone, window_days, negatives, draws, seed, taken.
WITH moments AS (
    SELECT kept.*, coalesce(users.region, '') AS region
    FROM kept
    LEFT JOIN users
        ON kept.user_id = users.user_id AND kept.dt >= users.from_day AND kept.dt < users.to_day
),

places AS (
    SELECT DISTINCT dt, region, dt::TIMESTAMP AT TIME ZONE $zone AS day_start FROM moments
),

pool AS (
    SELECT
        places.dt,
        places.region,
        jobs.job_id,
        jobs.opened_at,
        jobs.closed_at,
        row_number() OVER place - 1 AS slot,
        count(*) OVER (PARTITION BY places.dt, places.region) AS size
    FROM places
    INNER JOIN jobs
        ON places.dt >= jobs.from_day
        AND places.dt < jobs.to_day
        AND is_open(jobs.opened_at, jobs.closed_at, places.day_start)
        AND (places.region = '' OR jobs.region IS NULL OR jobs.region = places.region)
    WINDOW place AS (PARTITION BY places.dt, places.region ORDER BY jobs.job_id)
),

sizes AS (
    SELECT DISTINCT dt, region, size FROM pool
),

draws AS (
    SELECT
        moments.*,
        draw,
        (md5_number_lower($seed || '|' || slate || '|' || draw) % size)::BIGINT AS slot
    FROM moments
    INNER JOIN sizes USING (dt, region)
    CROSS JOIN range(1, $draws + 1) AS numbers (draw)
),

distinct_jobs AS (
    SELECT
        draws.user_id,
        pool.job_id,
        draws.dt,
        draws.shown_at,
        draws.slate,
        min(draws.draw) AS draw
    FROM draws
    INNER JOIN pool USING (dt, region, slot)
    ANTI JOIN $taken AS taken
        ON draws.user_id = taken.user_id
        AND pool.job_id = taken.job_id
        AND taken.dt >= draws.dt
        AND taken.shown_at < draws.shown_at + INTERVAL $window_days DAY
    WHERE pool.job_id <> draws.job_id
      AND is_open(pool.opened_at, pool.closed_at, draws.shown_at)
    GROUP BY draws.user_id, pool.job_id, draws.dt, draws.shown_at, draws.slate
)

SELECT user_id, job_id, dt, shown_at, position, slate FROM kept
UNION ALL
SELECT user_id, job_id, dt, shown_at, NULL::INTEGER AS position, slate
FROM distinct_jobs
QUALIFY row_number() OVER (PARTITION BY slate ORDER BY draw) <= $negatives
