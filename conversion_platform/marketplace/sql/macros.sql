-- How a value is read, whatever source and column it comes from. All steps live in this schema.
--
-- No long IN lists and no list_contains: DuckDB makes a join of them, for which every branch of a CASE
-- is computed for every row, not only where it is taken (seen: 100 times slower). list_position stays.
--
-- A comparison costs a tenth of a regular expression. Digits and signs sort before a colon, so texts
-- that begin with a letter are told from numbers by `t < ':'`.
--
-- A macro writes its argument wherever it is named, and each copy is bound again with its regular
-- expressions, by every step: a number took 15 ms. A lambda has a long argument once.
CREATE SCHEMA IF NOT EXISTS steps;

-- A text without blanks, byte-order marks and zero-width characters around it.
CREATE OR REPLACE MACRO steps.stripped(x) AS
    regexp_replace(x, '^[\s\x0b\x00\p{Z}\p{Cf}]+|[\s\x0b\x00\p{Z}\p{Cf}]+$', '', 'g');

-- Whether a text is one of those that mean a missing value, of which the longest has so many bytes. Few
-- other texts are a part of all of them in a row: that is seen in two thirds of the time.
CREATE OR REPLACE MACRO steps.is_missing(x, missing, longest) AS
    strlen(x) <= longest AND contains(array_to_string(missing, ' '), x)
    AND list_position(missing, x) IS NOT NULL;

CREATE OR REPLACE MACRO steps.known(x, missing, longest) AS
    CASE WHEN steps.is_missing(x, missing, longest) THEN NULL ELSE x END;

-- Whether a text is ASCII without a blank at either end: far cheaper to see than to strip it.
CREATE OR REPLACE MACRO steps.is_stripped(x) AS
    x >= '!' AND x[-1] > ' ' AND strlen(x) = length(x);

-- A stripped text; NULL if it is one of those that mean a missing value.
CREATE OR REPLACE MACRO steps.cleaned(x, missing, longest) AS CASE
    WHEN strlen(x) > longest AND steps.is_stripped(x) THEN x
    WHEN steps.is_missing(x, missing, longest) THEN NULL
    WHEN steps.is_stripped(x) THEN x
    ELSE steps.known(steps.stripped(x), missing, longest)
END;

-- 10000.0, as pandas writes an id that has missing neighbours, is 10000.
CREATE OR REPLACE MACRO steps.whole(t) AS
    CASE WHEN t < ':' AND contains(t, '.') THEN regexp_replace(t, '^(-?[0-9]+)\.0+$', '\1') ELSE t END;

-- 1.2E+10, as a spreadsheet shows a long number and so exports it: its last digits are lost.
CREATE OR REPLACE MACRO steps.is_shortened(t) AS
    t < ':' AND contains(t, '+') AND regexp_matches(t, '^[0-9]([.,][0-9]+)?[eE]\+[0-9]{2,}$');

-- A number alone, which is no label and no title.
CREATE OR REPLACE MACRO steps.is_bare_number(t) AS
    t < ':' AND regexp_matches(t, '^[+-]?[0-9]+([.,][0-9]+)?$');

-- A number with a decimal point, or an exponent, and nothing around it: not 1_000, which DuckDB casts.
CREATE OR REPLACE MACRO steps.is_plain(t) AS
    regexp_matches(t, '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$');

-- A number, its sign, the currency on either side of it, and its unit.
CREATE OR REPLACE MACRO steps.parts(t) AS regexp_extract(t,
    '^([+-]?)\s*((?:US|C|A|NZ)?[$€£¥₹]|(?:USD|EUR|GBP|CAD|AUD|NZD|CHF|SEK|NOK|DKK|PLN|INR|JPY|MXN|BRL|ZAR))?\s*([+-]?)([0-9.,][0-9.,''\x{2019}\s\x{a0}\x{202f}]*)\s*([$€£¥₹]|(?:USD|EUR|GBP|CAD|AUD|NZD|CHF|SEK|NOK|DKK|PLN|INR|JPY|MXN|BRL|ZAR)\b)?\s*(?:(?:/|(?i:per|an?)\s)\s*)?([\p{L}%°]*)\.?$',
    ['sign', 'before', 'inner', 'digits', 'behind', 'unit']);

-- The currency and the unit of a number, so that two cells can be compared: $16/hr and 16 USD per
-- hour have the same. NULL where the cell names none.
CREATE OR REPLACE MACRO steps.currency_of(p) AS list_transform([p.before || p.behind], lambda named:
    CASE named
        WHEN '' THEN NULL
        WHEN '$' THEN 'USD' WHEN 'US$' THEN 'USD' WHEN '$USD' THEN 'USD' WHEN '€' THEN 'EUR'
        WHEN '£' THEN 'GBP' WHEN '₹' THEN 'INR' WHEN '¥' THEN 'JPY' WHEN 'C$' THEN 'CAD'
        WHEN 'A$' THEN 'AUD' WHEN 'NZ$' THEN 'NZD' ELSE named
    END)[1];

CREATE OR REPLACE MACRO steps.is_multiplier(named) AS
    regexp_full_match(named, '(?i)k|mm?|mio|mn|bn?|t|tsd');

CREATE OR REPLACE MACRO steps.unit_of(p) AS list_transform([p.unit], lambda named: CASE
    WHEN named = '' OR steps.is_multiplier(named) THEN NULL
    WHEN regexp_full_match(named, '(?i)h|hrs?|hours?|hourly') THEN 'hour'
    WHEN regexp_full_match(named, '(?i)d|days?|daily') THEN 'day'
    WHEN regexp_full_match(named, '(?i)w|wks?|weeks?|weekly') THEN 'week'
    WHEN regexp_full_match(named, '(?i)mon?|months?|monthly') THEN 'month'
    WHEN regexp_full_match(named, '(?i)y|yrs?|years?|yearly|annum|annually|pa') THEN 'year'
    ELSE regexp_replace(lower(named), '(.)s$', '\1')
END)[1];

-- Whether the parts are those of a number: --5 is none.
CREATE OR REPLACE MACRO steps.is_number(p) AS p.digits <> '' AND (p.sign = '' OR p.inner = '');

-- The currency of a cell that has a number; NULL where it names none.
CREATE OR REPLACE MACRO steps.currency_in(t) AS CASE
    WHEN NOT steps.is_plain(t) THEN list_transform([steps.parts(t)], lambda p:
        CASE WHEN steps.is_number(p) THEN steps.currency_of(p) END)[1]
END;

-- The unit of a cell that has a number; '' where it names none.
CREATE OR REPLACE MACRO steps.unit_in(t) AS CASE
    WHEN steps.is_plain(t) THEN ''
    ELSE list_transform([steps.parts(t)], lambda p:
        CASE WHEN steps.is_number(p) THEN coalesce(steps.unit_of(p), '') END)[1]
END;

-- The name that a histogram counts most often, and of several the first.
CREATE OR REPLACE MACRO steps.most_named(counts) AS list_sort(list_transform(
    list_filter(map_entries(counts), lambda one: one.key <> ''),
    lambda one: {'before': -CAST(one.value AS BIGINT), 'name': one.key}))[1].name;

-- The unit of a column: a single 33000/yr among bare numbers does not make a year's pay of them.
CREATE OR REPLACE MACRO steps.unit_of_most(counts) AS list_transform([steps.most_named(counts)], lambda named:
    CASE WHEN 10 * counts[named] >= list_sum(map_values(counts)) THEN named ELSE '' END)[1];

-- Digits without what groups them by three, and with a decimal point; NULL if the groups are others:
-- with the point as decimal mark 1,200 is a number and 1,5 is not.
CREATE OR REPLACE MACRO steps.ungrouped(digits, decimal, grouping) AS CASE
    WHEN regexp_matches(digits,
        '^([0-9]+|[0-9]{1,3}([' || grouping || '][0-9]{3})+)?([' || decimal || '][0-9]+)?$')
    THEN replace(regexp_replace(digits, '[' || grouping || ']', '', 'g'), decimal, '.')
END;

-- A number that has a currency, a unit or groups of digits. A cell with another currency or unit than
-- its column ($900/week among $16/hr), or a multiplier (16k), cannot be read.
CREATE OR REPLACE MACRO steps.marked(t, decimal, grouping, currency, unit) AS list_transform(
    [{'p': steps.parts(t), 'currency': currency, 'unit': unit}], lambda cell: CASE
        WHEN steps.currency_of(cell.p) <> cell.currency OR steps.unit_of(cell.p) <> cell.unit
            OR steps.is_multiplier(cell.p.unit) OR NOT steps.is_number(cell.p) THEN NULL
        ELSE TRY_CAST(cell.p.sign || cell.p.inner
            || steps.ungrouped(steps.stripped(cell.p.digits), decimal, grouping) AS DOUBLE)
    END)[1];

-- Whether a text is an integer and nothing else: cheapest to see by writing the number again.
CREATE OR REPLACE MACRO steps.is_whole(t) AS CAST(TRY_CAST(t AS BIGINT) AS VARCHAR) = t;

CREATE OR REPLACE MACRO steps.number(t, decimal, grouping, currency, unit) AS CASE
    WHEN steps.is_whole(t) THEN CAST(TRY_CAST(t AS BIGINT) AS DOUBLE)
    WHEN (decimal = '.' OR NOT contains(t, '.')) AND steps.is_plain(t) THEN TRY_CAST(t AS DOUBLE)
    ELSE steps.marked(t, decimal, grouping, currency, unit)
END;

-- Whether a text begins with a year, a month and a day.
CREATE OR REPLACE MACRO steps.is_dated(t) AS regexp_matches(t, '^[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}');

-- The zone behind a time of day: Z, UTC, +02, -0500, +05:30, America/New_York, EST. AM and PM are none.
CREATE OR REPLACE MACRO steps.zone_of(t) AS nullif(regexp_extract(
    regexp_replace(t, '(?i)([0-9])\s*[ap]\.?m\.?([+-][0-9:]+)?$', '\1\2'),
    ':[0-9]{2}[^A-Za-z+-]*(?:(?i:[ap]\.?m\.?)\s+)?([A-Za-z][A-Za-z0-9_/+-]*|[+-][0-9]{2}(?::?[0-9]{2})?)$',
    1), '');

-- Seconds east of Greenwich of an offset such as -05, +0530, +05:30; NULL beyond 14 hours.
CREATE OR REPLACE MACRO steps.offset_of(z) AS CASE
    WHEN regexp_matches(z, '^[+-](0[0-9]|1[0-3])(:?[0-5][0-9])?$|^[+-]14(:?00)?$') THEN
        (CASE WHEN z[1] = '-' THEN -1 ELSE 1 END) * (CAST(z[2:3] AS INTEGER) * 3600
        + coalesce(TRY_CAST(right(replace(z[4:], ':', ''), 2) AS INTEGER), 0) * 60)
END;

-- Zones that DuckDB and Python both know: SQL computes local days, Python quiet hours.
CREATE TABLE IF NOT EXISTS steps.zones (name VARCHAR);

CREATE OR REPLACE MACRO steps.without_zone(t) AS
    trim(left(t, length(t) - coalesce(length(steps.zone_of(t)), 0)));

-- A reading that begins with the year. A cast alone ignores a word behind it, such as PM.
CREATE OR REPLACE MACRO steps.year_first(t) AS TRY_CAST(nullif(regexp_extract(t,
    '^[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}([T ]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]*)?)?)?$'), '') AS TIMESTAMP);

-- A clock reading: in one of the formats of the settings, or year first. No format that is set begins
-- with the year, unless the first does. `bare` is the text without its zone.
CREATE OR REPLACE MACRO steps.reading_of(t, bare, formats) AS CASE
    WHEN NOT regexp_matches(t, '[0-9]') THEN NULL -- strptime reads "infinity" as 1900-01-01
    WHEN NOT steps.is_dated(t) THEN try_strptime(bare, formats)
    WHEN starts_with(formats[1], '%Y') THEN coalesce(try_strptime(bare, formats), steps.year_first(bare))
    ELSE steps.year_first(bare)
END;

CREATE OR REPLACE MACRO steps.reading(t, formats) AS list_transform(
    [{'t': t, 'bare': steps.without_zone(t)}],
    lambda cell: steps.reading_of(cell.t, cell.bare, formats))[1];

-- A clock reading in a zone as the instant it is; NULL where the zone has letters that several places
-- use (BST, IST, EST). No zone: that of the settings, which may be missing.
CREATE OR REPLACE MACRO steps.instant(reading, z, is_named, zone) AS list_transform(
    [{'reading': reading, 'z': z, 'is_named': is_named, 'zone': zone}], lambda cell: CASE
        WHEN cell.is_named THEN timezone(cell.z, cell.reading)
        WHEN cell.z IS NULL AND cell.zone IS NULL THEN NULL
        WHEN cell.z IS NULL THEN timezone(cell.zone, cell.reading)
        WHEN regexp_full_match(cell.z, '(?i)z|utc?|gmt')
            THEN make_timestamptz(epoch_us(cell.reading))
        WHEN cell.z[1] = '+' OR cell.z[1] = '-' THEN make_timestamptz(
            epoch_us(cell.reading) - CAST(1000000 AS BIGINT) * steps.offset_of(cell.z))
    END)[1];

-- An instant as most programs write it: cheap to see and to read.
CREATE OR REPLACE MACRO steps.is_instant(t) AS
    t LIKE '____-__-__T__:__:__Z' OR t LIKE '____-__-__T__:__:__.___Z';

-- A reading as databases and pandas write it, and such a reading with an offset.
CREATE OR REPLACE MACRO steps.is_usual(t) AS regexp_full_match(t,
    '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?');

CREATE OR REPLACE MACRO steps.is_usual_with_offset(t) AS regexp_full_match(t,
    '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?[+-](0[0-9]|1[0-3])(:?[0-5][0-9])?');

-- Whether a zone is an IANA zone: those with a slash are, if DuckDB knows them.
CREATE OR REPLACE MACRO steps.is_named_zone(z) AS CASE
    WHEN contains(z, '/') THEN list_contains((SELECT list(name) FROM steps.zones), z)
END;

-- A time. How most are written is cheap to see and to read.
CREATE OR REPLACE MACRO steps.moment(t, zone, formats) AS CASE
    WHEN steps.is_instant(t) THEN TRY_CAST(t AS TIMESTAMPTZ)
    WHEN NOT starts_with(formats[1], '%Y') AND steps.is_usual_with_offset(t)
        THEN TRY_CAST(t AS TIMESTAMPTZ)
    WHEN NOT starts_with(formats[1], '%Y') AND steps.is_usual(t)
        THEN timezone(zone, TRY_CAST(t AS TIMESTAMP))
    ELSE steps.instant(
        steps.reading(t, formats), steps.zone_of(t), steps.is_named_zone(steps.zone_of(t)), zone)
END;

-- NaN and infinity are no numbers; 3.5 is no count.
CREATE OR REPLACE MACRO steps.finite(x) AS
    list_transform([x], lambda number: CASE WHEN isfinite(number) THEN number END)[1];

CREATE OR REPLACE MACRO steps.integer(x) AS list_transform([x], lambda number:
    CASE WHEN number = trunc(number) THEN TRY_CAST(number AS BIGINT) END)[1];

-- An integer: the text, and the number that it is read as if it is not a plain one.
CREATE OR REPLACE MACRO steps.whole_number(t, number) AS CASE
    WHEN steps.is_whole(t) THEN TRY_CAST(t AS BIGINT)
    ELSE steps.integer(number)
END;
