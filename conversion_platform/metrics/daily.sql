-- One row for each day and cohort, and one for each day over all cohorts.
-- Reads `outcomes` (with its partition column dt). Common subset of DuckDB and Athena.
WITH counted AS (
    SELECT dt, cohort, arm, state, sent_at, delivered_at, clicked_at, converted_at,
        converted_any_at, opted_out_at, matured
    FROM outcomes
    UNION ALL
    SELECT dt, 'all' AS cohort, arm, state, sent_at, delivered_at, clicked_at, converted_at,
        converted_any_at, opted_out_at, matured
    FROM outcomes
),
flags AS (
    SELECT dt, cohort,
        CASE WHEN arm = 'treatment' THEN 1 ELSE 0 END AS treated,
        CASE WHEN arm = 'holdout' THEN 1 ELSE 0 END AS held,
        CASE WHEN state = 'suppressed' THEN 1 ELSE 0 END AS suppressed,
        CASE WHEN state = 'expired' THEN 1 ELSE 0 END AS expired,
        CASE WHEN sent_at IS NOT NULL THEN 1 ELSE 0 END AS sent,
        CASE WHEN delivered_at IS NOT NULL THEN 1 ELSE 0 END AS delivered,
        CASE WHEN state = 'failed' THEN 1 ELSE 0 END AS failed,
        CASE WHEN clicked_at IS NOT NULL THEN 1 ELSE 0 END AS clicked,
        CASE WHEN converted_at IS NOT NULL THEN 1 ELSE 0 END AS converted,
        CASE WHEN converted_any_at IS NOT NULL THEN 1 ELSE 0 END AS converted_any,
        CASE WHEN opted_out_at IS NOT NULL THEN 1 ELSE 0 END AS opted_out,
        CASE WHEN matured THEN 0 ELSE 1 END AS immature
    FROM counted
),
totals AS (
    SELECT dt, cohort,
        SUM(treated) AS planned,
        SUM(held) AS holdout,
        SUM(treated * suppressed) AS suppressed,
        SUM(treated * expired) AS expired,
        SUM(sent) AS sent,
        SUM(delivered) AS delivered,
        SUM(failed) AS failed,
        SUM(sent * clicked) AS clicked,
        SUM(sent * converted) AS converted,
        SUM(sent * opted_out) AS opted_out,
        SUM(treated * converted_any) AS converted_any,
        SUM(held * converted_any) AS holdout_converted_any,
        SUM(sent * converted_any) AS sent_converted_any,
        SUM(immature) AS immature
    FROM flags
    GROUP BY dt, cohort
)
SELECT
    dt,
    cohort,
    CAST(planned AS BIGINT) AS planned,
    CAST(holdout AS BIGINT) AS holdout,
    CAST(suppressed AS BIGINT) AS suppressed,
    CAST(expired AS BIGINT) AS expired,
    CAST(sent AS BIGINT) AS sent,
    CAST(delivered AS BIGINT) AS delivered,
    CAST(failed AS BIGINT) AS failed,
    CAST(clicked AS BIGINT) AS clicked,
    CAST(converted AS BIGINT) AS converted,
    CAST(opted_out AS BIGINT) AS opted_out,
    CAST(converted_any AS BIGINT) AS converted_any,
    CAST(holdout_converted_any AS BIGINT) AS holdout_converted_any,
    CAST(sent_converted_any AS BIGINT) AS sent_converted_any,
    CAST(converted_any AS DOUBLE) / NULLIF(planned, 0) AS conversion_rate,
    CAST(holdout_converted_any AS DOUBLE) / NULLIF(holdout, 0) AS holdout_conversion_rate,
    CAST(converted AS DOUBLE) / NULLIF(sent_converted_any, 0) AS map_sent,
    CAST(converted AS DOUBLE) / NULLIF(sent, 0) AS precision_sent,
    immature = 0 AS matured
FROM totals
ORDER BY dt, cohort
