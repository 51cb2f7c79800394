"""Stage `event_log` as Dagster sees it."""
