"""Stage `messaging` as Dagster sees it."""
