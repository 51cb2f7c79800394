-- The versions of each job with integer codes. An event counts for the category, the employer and the
-- pay that its job had on its day (`since`, `until`, as numbers of days): the version of that day, or
-- the nearest one where the job was not shown.
CREATE OR REPLACE TEMP TABLE feature_job_versions AS
SELECT
    c.job_code,
    if(category IS NULL, NULL, dense_rank() OVER (ORDER BY category))::INTEGER AS category_code,
    if(employer_id IS NULL, NULL, dense_rank() OVER (ORDER BY employer_id))::INTEGER
        AS employer_code,
    -- Sums of cents do not depend on the order of summation; sums of doubles do.
    TRY_CAST(round(pay * 100) AS BIGINT) AS pay_cents,
    if(lag(from_day) OVER versions IS NULL, 0, from_day - DATE '1970-01-01') AS since,
    lead(from_day - DATE '1970-01-01', 1, 1000000) OVER versions AS until,
    j.*
FROM $jobs AS j
INNER JOIN feature_job_codes AS c ON j.job_id = c.job_id
WINDOW versions AS (PARTITION BY j.job_id ORDER BY from_day);

CREATE OR REPLACE TEMP TABLE feature_categories AS
SELECT DISTINCT category_code, category FROM feature_job_versions WHERE category IS NOT NULL
