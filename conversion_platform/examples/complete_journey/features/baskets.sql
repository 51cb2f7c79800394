-- level: user
-- What a household bought, and where it used coupons, within 90 days before the day. A department
-- of a basket is one event; the events of a basket have the same time. Counted by local day first:
-- a day that is over before `dt` begins holds only events with `known_at < as_of`.
WITH daily AS (
    SELECT
        user_id,
        (known_at AT TIME ZONE 'America/New_York')::DATE AS day,
        count(DISTINCT occurred_at) FILTER (event_type = 'purchase') AS baskets,
        count(*) FILTER (event_type = 'purchase') AS departments,
        count(*) FILTER (event_type = 'purchase' AND job_id = 'department grocery') AS grocery,
        count(*) FILTER (event_type = 'purchase' AND job_id = 'department drug gm') AS drugstore,
        count(*) FILTER (event_type = 'purchase' AND job_id = 'department produce') AS produce,
        count(*) FILTER (event_type = 'purchase' AND job_id = 'department meat') AS meat,
        count(*) FILTER (event_type = 'purchase' AND job_id = 'department meat-pckgd') AS packaged,
        count(*) FILTER (event_type = 'purchase' AND job_id = 'department deli') AS deli,
        count(*) FILTER (event_type = 'purchase' AND job_id = 'department pastry') AS pastry,
        count(*) FILTER (event_type = 'purchase' AND job_id = 'department nutrition') AS nutrition,
        count(*) FILTER (event_type = 'purchase' AND job_id = 'department cosmetics') AS cosmetics,
        count(*) FILTER (event_type = 'purchase' AND job_id = 'department fuel') AS fuel,
        count(DISTINCT occurred_at) FILTER (event_type = 'coupon_use') AS coupon_baskets,
        count(*) FILTER (event_type = 'coupon_use') AS coupon_departments
    FROM events
    WHERE event_type IN ('purchase', 'coupon_use')
    GROUP BY user_id, day
)

SELECT
    days.dt,
    daily.user_id,
    sum(baskets)::INTEGER AS baskets_90d,
    coalesce(sum(baskets) FILTER (day >= dt - 28), 0)::INTEGER AS baskets_28d,
    coalesce(sum(baskets) FILTER (day >= dt - 7), 0)::INTEGER AS baskets_7d,
    dt - max(day) FILTER (baskets > 0) AS days_since_basket,
    sum(departments)::INTEGER AS basket_departments_90d,
    sum(grocery)::INTEGER AS grocery_90d,
    sum(drugstore)::INTEGER AS drugstore_90d,
    sum(produce)::INTEGER AS produce_90d,
    sum(meat)::INTEGER AS meat_90d,
    sum(packaged)::INTEGER AS packaged_meat_90d,
    sum(deli)::INTEGER AS deli_90d,
    sum(pastry)::INTEGER AS pastry_90d,
    sum(nutrition)::INTEGER AS nutrition_90d,
    sum(cosmetics)::INTEGER AS cosmetics_90d,
    sum(fuel)::INTEGER AS fuel_90d,
    sum(coupon_baskets)::INTEGER AS coupon_baskets_90d,
    sum(coupon_departments)::INTEGER AS coupon_departments_90d,
    coalesce(sum(coupon_departments) FILTER (day >= dt - 28), 0)::INTEGER AS coupon_departments_28d,
    dt - max(day) FILTER (coupon_baskets > 0) AS days_since_coupon
FROM days
INNER JOIN daily ON daily.day < days.dt AND daily.day >= days.dt - 90
GROUP BY days.dt, daily.user_id
