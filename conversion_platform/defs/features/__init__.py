"""Stage `features` as Dagster sees it."""
