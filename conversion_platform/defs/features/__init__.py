"""Stage `features` as Dagster sees it."""

from conversion_platform.defs.lake_asset import asset_name
from conversion_platform.features import TABLES

FEATURES = tuple(asset_name(table.name) for table in TABLES)
"""The stage's assets, for the stages that read them."""

__all__ = ["FEATURES"]
