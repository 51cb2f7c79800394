-- The day whose features are built, and every job as it saw it, or as it was last shown before.
CREATE OR REPLACE TEMP TABLE feature_day AS
SELECT * FROM feature_days WHERE dt = DATE $day;

CREATE OR REPLACE TEMP TABLE feature_jobs AS
SELECT j.*, d.dt >= j.from_day AND d.dt < j.to_day AS is_shown
FROM feature_job_versions AS j
INNER JOIN feature_day AS d ON d.day >= j.since AND d.day < j.until;

CREATE OR REPLACE TEMP TABLE feature_effects AS
SELECT factor, user_id, level, effect
FROM feature_stored_effects
WHERE dt = DATE $day
