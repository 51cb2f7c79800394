-- What was known when a day began: each rule once, for the queries of every stage.
-- `as_of` is D 00:00 in the platform's time zone.

-- The moment from which on an event is known: it has happened, and it has been recorded.
CREATE OR REPLACE MACRO known_at(occurred, recorded) AS
    greatest(occurred, recorded);

-- Whether an event was known before `as_of`.
CREATE OR REPLACE MACRO known_before(occurred, recorded, as_of) AS
    known_at(occurred, recorded) < as_of;

-- The day on which an event became known: `known_on < D` says the same as `known_before` D 00:00.
-- Asking the calendar takes 30 times as long as a comparison: where `as_of` is given, compare.
CREATE OR REPLACE MACRO known_on(occurred, recorded, zone) AS
    (known_at(occurred, recorded) AT TIME ZONE zone)::DATE;

-- Whether somebody had left by `as_of`.
CREATE OR REPLACE MACRO has_left(left_at, as_of) AS
    left_at IS NOT NULL AND left_at <= as_of;

-- Whether somebody was there at `as_of`: had joined before it, and not left by it.
CREATE OR REPLACE MACRO is_present(created_at, left_at, as_of) AS
    created_at < as_of AND NOT has_left(left_at, as_of);

-- Whether a job was open at `as_of`: a source of dates opens its jobs at D 00:00, and D is their first
-- day. With NULL for `closed_at`: whether it had opened. A missing `opened_at` is filled in when jobs
-- are loaded (marketplace/loading.py).
CREATE OR REPLACE MACRO is_open(opened_at, closed_at, as_of) AS
    opened_at <= as_of AND (closed_at IS NULL OR closed_at > as_of);

-- Kilometres between two places on a sphere of the earth's mean radius (haversine), NULL where a
-- coordinate is missing. least() skips NULLs, and rounding can take the root of antipodes above 1.
CREATE OR REPLACE MACRO distance_km(latitude, longitude, other_latitude, other_longitude) AS
    CASE WHEN latitude + longitude + other_latitude + other_longitude IS NOT NULL THEN
        2 * 6371.0088 * asin(sqrt(least(
            1,
            pow(sin((radians(other_latitude) - radians(latitude)) / 2), 2)
            + cos(radians(latitude)) * cos(radians(other_latitude))
            * pow(sin((radians(other_longitude) - radians(longitude)) / 2), 2)
        )))
    END;
