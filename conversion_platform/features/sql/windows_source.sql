(
    -- Few keys have many events each: those that lie in the same windows are counted together, and
    -- stand for one row on the last of their days.
    SELECT
        $keys,
        impression,
        click,
        conversion,
        max(day) AS day,
        count(*) AS events,
        count(pay_cents) AS priced,
        sum(pay_cents) AS cents
    FROM feature_events
    WHERE day BETWEEN $first - $longest AND $last - 1
    GROUP BY
        $keys,
        kinds,
        impression,
        click,
        conversion,
        CASE
            WHEN day >= $first THEN 0
            $cases
        END
)
