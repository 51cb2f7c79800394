-- A dozen simple features of (user_id, job_id, dt) pairs, from events recorded before dt.
-- Views needed: pairs, users, jobs, events (with dt = day of the record).
WITH seen AS (
    SELECT DISTINCT event_id, user_id, job_id, event_type, dt
    FROM events WHERE event_type IN ('impression', 'click')
),
day_counts AS (
    SELECT s.user_id, s.job_id, j.employer_id, j.category, s.dt,
        count(*) FILTER (event_type = 'impression') AS shown,
        count(*) FILTER (event_type = 'click') AS clicked
    FROM seen s JOIN jobs j USING (job_id) GROUP BY ALL
),
by_user AS (
    SELECT user_id, dt, sum(sum(shown)) OVER w AS shown, sum(sum(clicked)) OVER w AS clicked
    FROM day_counts GROUP BY user_id, dt WINDOW w AS (PARTITION BY user_id ORDER BY dt)
),
by_user_category AS (
    SELECT user_id, category, dt, sum(sum(shown)) OVER w AS shown, sum(sum(clicked)) OVER w AS clicked
    FROM day_counts GROUP BY user_id, category, dt
    WINDOW w AS (PARTITION BY user_id, category ORDER BY dt)
),
by_job AS (
    SELECT job_id, dt, sum(sum(shown)) OVER w AS shown, sum(sum(clicked)) OVER w AS clicked
    FROM day_counts GROUP BY job_id, dt WINDOW w AS (PARTITION BY job_id ORDER BY dt)
),
by_employer AS (
    SELECT employer_id, dt, sum(sum(shown)) OVER w AS shown, sum(sum(clicked)) OVER w AS clicked
    FROM day_counts GROUP BY employer_id, dt WINDOW w AS (PARTITION BY employer_id ORDER BY dt)
),
described AS (
    SELECT p.*, u.has_car, u.experience_years, j.employer_id, j.category, j.rating, j.urgent,
        111.195 * sqrt((u.latitude - j.latitude) ** 2
            + ((u.longitude - j.longitude) * cos(radians(u.latitude))) ** 2) AS distance,
        j.pay - u.desired_pay AS pay_gap,
        list_contains(string_split(u.skills, '|'), j.category) AS states_skill,
        u.shift = j.shift AS same_shift,
        p.dt - j.opened_at::DATE AS job_age
    FROM pairs p JOIN users u USING (user_id) JOIN jobs j USING (job_id)
)
SELECT d.row_number, d.distance::FLOAT AS distance, d.pay_gap::FLOAT AS pay_gap,
    d.states_skill::INT AS states_skill, d.same_shift::INT AS same_shift,
    d.job_age::INT AS job_age, d.has_car::INT AS has_car, d.rating::FLOAT AS rating,
    d.urgent::INT AS urgent,
    ((coalesce(bu.clicked, 0) + 2) / (coalesce(bu.shown, 0) + 20))::FLOAT AS user_click_rate,
    ((coalesce(bj.clicked, 0) + 2) / (coalesce(bj.shown, 0) + 20))::FLOAT AS job_click_rate,
    ((coalesce(be.clicked, 0) + 2) / (coalesce(be.shown, 0) + 20))::FLOAT AS employer_click_rate,
    ((coalesce(bc.clicked, 0) + 5 * (coalesce(bu.clicked, 0) + 2) / (coalesce(bu.shown, 0) + 20))
        / (coalesce(bc.shown, 0) + 5))::FLOAT AS user_category_click_rate
FROM described d
ASOF LEFT JOIN by_user bu ON d.user_id = bu.user_id AND d.dt > bu.dt
ASOF LEFT JOIN by_job bj ON d.job_id = bj.job_id AND d.dt > bj.dt
ASOF LEFT JOIN by_employer be ON d.employer_id = be.employer_id AND d.dt > be.dt
ASOF LEFT JOIN by_user_category bc
    ON d.user_id = bc.user_id AND d.category = bc.category AND d.dt > bc.dt
ORDER BY d.row_number
