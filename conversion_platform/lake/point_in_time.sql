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
