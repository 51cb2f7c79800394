-- level: user
-- What a household bought, and where it used coupons, within 90 days before the day. A department
-- of a basket is one event; the events of a basket share its moment.
WITH bought AS (
    SELECT
        days.dt,
        days.as_of,
        events.user_id,
        events.event_type,
        replace(events.job_id, 'department ', '') AS department,
        events.occurred_at
    FROM days
    INNER JOIN events
        ON events.known_at < days.as_of
        AND events.occurred_at >= days.as_of - INTERVAL 90 DAY
    WHERE events.event_type IN ('purchase', 'coupon_use')
)

SELECT
    dt,
    user_id,
    count(DISTINCT occurred_at) FILTER (event_type = 'purchase') AS baskets_90d,
    count(DISTINCT occurred_at) FILTER (
        event_type = 'purchase' AND occurred_at >= as_of - INTERVAL 28 DAY
    ) AS baskets_28d,
    count(DISTINCT occurred_at) FILTER (
        event_type = 'purchase' AND occurred_at >= as_of - INTERVAL 7 DAY
    ) AS baskets_7d,
    date_diff('day', max(occurred_at), as_of) AS days_since_basket,
    count(DISTINCT department) FILTER (event_type = 'purchase') AS departments_90d,
    count(*) FILTER (event_type = 'purchase' AND department = 'grocery') AS grocery_90d,
    count(*) FILTER (event_type = 'purchase' AND department = 'drug gm') AS drugstore_90d,
    count(*) FILTER (event_type = 'purchase' AND department = 'produce') AS produce_90d,
    count(*) FILTER (event_type = 'purchase' AND department = 'meat') AS meat_90d,
    count(*) FILTER (event_type = 'purchase' AND department = 'meat-pckgd') AS packaged_meat_90d,
    count(*) FILTER (event_type = 'purchase' AND department = 'deli') AS deli_90d,
    count(*) FILTER (event_type = 'purchase' AND department = 'pastry') AS pastry_90d,
    count(*) FILTER (event_type = 'purchase' AND department = 'nutrition') AS nutrition_90d,
    count(*) FILTER (event_type = 'purchase' AND department = 'cosmetics') AS cosmetics_90d,
    count(*) FILTER (event_type = 'purchase' AND department = 'fuel') AS fuel_90d,
    count(DISTINCT occurred_at) FILTER (event_type = 'coupon_use') AS coupon_baskets_90d,
    count(*) FILTER (event_type = 'coupon_use') AS coupon_departments_90d,
    count(*) FILTER (
        event_type = 'coupon_use' AND occurred_at >= as_of - INTERVAL 28 DAY
    ) AS coupon_departments_28d,
    date_diff('day', max(occurred_at) FILTER (event_type = 'coupon_use'), as_of)
        AS days_since_coupon
FROM bought
GROUP BY dt, as_of, user_id
