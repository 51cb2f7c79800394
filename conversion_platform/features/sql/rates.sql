-- Rates over all jobs, over each category and over each employer: what smaller counts are shrunk
-- towards. As of the day that the counts of jobs are of.
CREATE OR REPLACE TEMP TABLE feature_rates AS
WITH counted AS (
    SELECT
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
    INNER JOIN feature_jobs AS j ON w.job_code = j.job_code
    GROUP BY GROUPING SETS ((), (j.category_code), (j.employer_code))
)

SELECT
    *,
    clicks_28d / nullif(impressions_28d, 0) AS click_rate,
    conversions_28d / nullif(impressions_28d, 0) AS conversion_rate
FROM counted
