SELECT $key AS _cp_id, min($start) AS _cp_captured
FROM $history
WHERE $start IS NOT NULL
GROUP BY ALL
