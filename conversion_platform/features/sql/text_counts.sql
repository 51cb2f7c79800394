-- What came through our messages within $days days before the day, by user and by job.
CREATE OR REPLACE TEMP TABLE feature_text_counts AS
SELECT
    user_code,
    job_code,
    count_if(feature_click(kinds))::INTEGER AS text_clicks,
    count_if(feature_conversion(kinds))::INTEGER AS text_conversions
FROM feature_text_events AS e
INNER JOIN feature_day AS d ON e.day BETWEEN d.day - $days AND d.day - 1
GROUP BY GROUPING SETS ((user_code), (job_code))
