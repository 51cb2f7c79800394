"""Stage `marketplace` as Dagster sees it."""
