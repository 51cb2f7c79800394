"""Stage `monitoring` as Dagster sees it."""
