SELECT _cp_v_$key AS _cp_id, min(_cp_v_occurred_at) AS _cp_first_at
FROM steps.events_reasons
WHERE $usable
GROUP BY ALL
