"""Stage `training` as Dagster sees it."""
