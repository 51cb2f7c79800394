-- Rates over all jobs, over each category and over each employer: what smaller counts are shrunk
-- towards. As of each day of the range, from the events known before it.
CREATE OR REPLACE TEMP TABLE feature_rates AS
WITH counted AS (
    SELECT
        d.day,
        j.category_code,
        j.employer_code,
        CASE grouping(j.category_code, j.employer_code)
            WHEN 1 THEN 'category' WHEN 2 THEN 'employer' ELSE 'all'
        END AS level,
        sum(w.impressions_28d)::BIGINT AS impressions_28d,
        sum(w.clicks_28d)::BIGINT AS clicks_28d,
        sum(w.conversions_28d)::BIGINT AS conversions_28d,
        sum(w.impressions_90d)::BIGINT AS impressions_90d,
        sum(w.clicks_90d)::BIGINT AS clicks_90d,
        sum(w.conversions_90d)::BIGINT AS conversions_90d
    FROM feature_job_windows AS w
    INNER JOIN feature_days AS d ON w.starts <= d.day AND d.day < w.until
    INNER JOIN feature_jobs AS j ON w.job_code = j.job_code
    GROUP BY GROUPING SETS ((d.day), (d.day, j.category_code), (d.day, j.employer_code))
)

SELECT
    *,
    clicks_28d / nullif(impressions_28d, 0) AS click_rate,
    conversions_28d / nullif(impressions_28d, 0) AS conversion_rate
FROM counted
