SELECT *,
    CASE
        WHEN _cp_day IS NULL THEN coalesce(_cp_folder, _cp_recorded, DATE '$no_day')
        WHEN _cp_day > _cp_folder + 1 THEN _cp_folder
        WHEN greatest(_cp_folder, _cp_recorded) > _cp_day + $late_days
            THEN greatest(_cp_folder, _cp_recorded)
        ELSE _cp_day
    END AS _cp_dt,
    coalesce($problems, CASE
        WHEN _cp_day > _cp_folder + 1 THEN 'wrong_folder|occurred_at'
        WHEN greatest(_cp_folder, _cp_recorded) > _cp_day + $late_days THEN 'too_late|occurred_at'
    END) AS _cp_problem
FROM (
    SELECT *, CASE WHEN _cp_day IS NULL
        OR epoch_us(_cp_v_recorded_at) - epoch_us(_cp_v_occurred_at) > $surely_in_time
        THEN $recorded END AS _cp_recorded
    FROM (
        SELECT *, $day AS _cp_day,
            -- Not a LEFT JOIN: DuckDB takes a CSV file for a few rows, and would hash all events.
            (SELECT _cp_place FROM steps.events_users WHERE _cp_user = _cp_v_user_id) AS _cp_place
        FROM steps.events_kept
    )
)
