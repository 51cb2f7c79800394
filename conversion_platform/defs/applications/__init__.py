"""Stage `applications` as Dagster sees it."""
