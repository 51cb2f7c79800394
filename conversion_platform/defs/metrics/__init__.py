"""Stage `metrics` as Dagster sees it."""
