SELECT a.* REPLACE (coalesce(
    a.$start, least(coalesce(c._cp_captured, f._cp_first_at, $opening), a.$until)
) AS $start)
FROM steps.${source}_accepted AS a
LEFT JOIN steps.${source}_captured AS c ON c._cp_id = a.$key
LEFT JOIN steps.${source}_firsts AS f ON f._cp_id = a.$key
