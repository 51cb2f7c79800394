-- Numbers for the ids and names that levels have, in this session.
CREATE OR REPLACE TEMP TABLE effect_users AS
SELECT row_number() OVER () AS code, user_id AS key FROM $users;

CREATE OR REPLACE TEMP TABLE effect_jobs AS
SELECT row_number() OVER () AS code, job_id AS key FROM $jobs;

CREATE OR REPLACE TEMP TABLE effect_categories AS
SELECT row_number() OVER () AS code, category AS key
FROM (SELECT DISTINCT category FROM $offers WHERE category IS NOT NULL);

CREATE OR REPLACE TEMP TABLE effect_employers AS
SELECT row_number() OVER () AS code, employer_id AS key
FROM (SELECT DISTINCT employer_id FROM $offers WHERE employer_id IS NOT NULL)
