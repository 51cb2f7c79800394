"""Stage `inference` as Dagster sees it."""
