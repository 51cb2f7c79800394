-- What a day's snapshot adds to those before it: rows that are new or have changed, and for each row
-- that the source no longer shows one with `present` false. `since` is the day after the snapshot
-- before. A version counts from the day that the source says, but never from a day already captured.
-- Several versions may count from one day: the one told last is what the day sees. An id has one
-- version of a time, so that (told_from, told_at) orders them wholly.
-- The first snapshot with a value of some attribute has all rows: of one without a row nobody could
-- tell that the day saw no value, and a value that is captured later would be put in its place.
WITH told AS (
    SELECT
        $columns,
        true AS present,
        CAST(NULL AS TIMESTAMPTZ) AS told_at,
        CAST(NULL AS DATE) AS told_from
    FROM $current
    WHERE $key NOT IN (SELECT $key FROM $versions)
    UNION ALL BY NAME
    -- A row of some time of a day is known when the next day begins; but who is new exists from the
    -- first moment on.
    SELECT
        $columns,
        coalesce(present, true) AS present,
        told_at,
        CASE
            WHEN row_number() OVER (PARTITION BY $key ORDER BY told_at) = 1
                THEN CAST(timezone($zone, least(told_at, $start)) AS DATE)
            ELSE CAST(timezone($zone, told_at) + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND AS DATE)
        END AS told_from
    FROM $versions
),

-- The snapshot before tells versions that begin later than its day, if it was the first of a range
-- or was replaced: of such an id this one tells what counts after those.
continued AS (
    SELECT $key, least(max(valid_from) + 1, DATE $day) AS _cp_since FROM $continued GROUP BY ALL
),

until_next AS (
    SELECT
        told.*,
        coalesce(_cp_since, DATE $since) AS _cp_since,
        lead(told_from) OVER versions AS next_from
    FROM told
    LEFT JOIN continued USING ($key)
    WHERE told_from IS NULL OR told_from <= DATE $until
    WINDOW versions AS (PARTITION BY $key ORDER BY told_from, told_at)
),

placed AS (
    SELECT
        * EXCLUDE (next_from),
        row($columns) AS content,
        row_number() OVER versions = 1 AS is_first
    FROM until_next
    WHERE next_from IS NULL OR next_from > greatest(told_from, _cp_since)
    WINDOW versions AS (PARTITION BY $key ORDER BY told_from, told_at)
),

known AS (
    SELECT $key AS known_key, row($columns) AS known_content, $start AS known_start
    FROM $before
),

compared AS (
    SELECT
        placed.*,
        known_key,
        known_start,
        CASE
            WHEN is_first THEN known_content
            ELSE lag(content) OVER versions
        END AS content_before
    FROM placed
    LEFT JOIN known ON known_key = $key
    WINDOW versions AS (PARTITION BY $key ORDER BY told_from, told_at)
)

SELECT
    $columns,
    CASE
        WHEN told_from IS NULL AND known_key IS NULL THEN $since_of_new
        WHEN told_from IS NULL THEN DATE $day
        ELSE greatest(told_from, _cp_since)
    END AS valid_from,
    present,
    CASE
        WHEN NOT present THEN 'gone'
        WHEN known_key IS NULL THEN 'new'
        WHEN content IS NOT DISTINCT FROM content_before THEN NULL
        -- The source says today that something was otherwise on a day that is captured already.
        WHEN is_first AND (told_from < _cp_since OR $start IS DISTINCT FROM known_start)
            THEN 'corrected'
        ELSE 'changed'
    END AS change,
    known_start
FROM compared
WHERE CASE
    WHEN is_first AND known_key IS NULL THEN present
    ELSE content IS DISTINCT FROM content_before OR (is_first AND $all_rows)
END
UNION ALL BY NAME
SELECT known_key AS $key, DATE $day AS valid_from, false AS present, 'gone' AS change, known_start
FROM known
WHERE known_key NOT IN (SELECT $key FROM placed)
