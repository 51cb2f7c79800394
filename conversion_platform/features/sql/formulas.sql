-- The formulas that the levels share.

-- A rate, shrunk: as if the prior had been seen in `shrinkage` further impressions.
CREATE OR REPLACE TEMP MACRO feature_rate(hits, exposures, prior) AS
    ((hits + $shrinkage * prior) / (exposures + $shrinkage))::FLOAT;

-- The rate of all jobs of a category or employer: the prior where none has been seen, NULL where
-- the job has no such thing.
CREATE OR REPLACE TEMP MACRO feature_group_rate(code, hits, exposures, prior) AS
    if(code IS NULL, NULL, feature_rate(coalesce(hits, 0), coalesce(exposures, 0), prior))::FLOAT;

-- Whole days since a day that is at most 90 days ago; NULL beyond.
CREATE OR REPLACE TEMP MACRO feature_days_since(today, day) AS
    (CASE WHEN today - day <= 90 THEN today - day END)::FLOAT;

-- Days, with fraction, from a moment to the start of the day; NULL for what is still to come.
CREATE OR REPLACE TEMP MACRO feature_age(as_of, moment) AS
    (CASE WHEN moment < as_of THEN (epoch_us(as_of) - epoch_us(moment)) / 86400e6 END)::FLOAT;

-- What an event counts as.
CREATE OR REPLACE TEMP MACRO feature_impression(kinds) AS kinds & 1 = 1;
CREATE OR REPLACE TEMP MACRO feature_click(kinds) AS kinds & 2 = 2;
CREATE OR REPLACE TEMP MACRO feature_conversion(kinds) AS kinds & 4 = 4
