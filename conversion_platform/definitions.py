"""The code location: everything below `defs/`, bound to the settings in force."""

from __future__ import annotations

import dagster as dg

import conversion_platform.defs
from conversion_platform.defs.automation import build_schedules, retrain_on_drift
from conversion_platform.defs.jobs import JOBS
from conversion_platform.defs.liveness.automation import dead_runs
from conversion_platform.defs.resources import Platform, settings_file_in_force
from conversion_platform.settings import Settings, load_settings


def days_partitions(settings: Settings) -> dg.DailyPartitionsDefinition:
    """One partition a calendar day; the day under way has one too."""
    return dg.DailyPartitionsDefinition(
        start_date=settings.platform.start_date.isoformat(),
        timezone=settings.platform.time_zone,
        end_offset=1,
    )


def build_defs(settings: Settings, platform: Platform | None = None) -> dg.Definitions:
    """The code location for given settings; tests give their own platform.

    Args:
        settings: Decides time zone, first day and schedules.
        platform: The resource that assets use; one for the settings in force if not given.
    """
    days = days_partitions(settings)
    assets = [
        asset.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=days))
        for asset in dg.load_assets_from_package_module(conversion_platform.defs)
        if isinstance(asset, dg.AssetsDefinition)
    ]
    return dg.Definitions(
        assets=assets,
        asset_checks=dg.load_asset_checks_from_package_module(conversion_platform.defs),
        jobs=JOBS,
        schedules=build_schedules(settings),
        sensors=[retrain_on_drift, dead_runs],
        resources={"platform": platform or Platform(settings_file=settings_file_in_force())},
        # Steps share the imports of xgboost and evidently (10 s each time otherwise).
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster dev` and the daemon load."""
    return build_defs(load_settings())
