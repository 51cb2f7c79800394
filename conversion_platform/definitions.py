"""The code location: everything below `defs/`, bound to the settings in force."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from conversion_platform.days import DayRange
from conversion_platform.defs.binding import bound_to, settings_in_force
from conversion_platform.defs.freshness import daily_freshness, with_freshness
from conversion_platform.defs.lake_asset import with_partitions
from conversion_platform.defs.partitions import days_partitions
from conversion_platform.defs.resources import Platform, require_readable_home
from conversion_platform.settings import Settings

PLUGINS = "dagster_dg_cli.registry_modules"
"""Group of entry points through which a package offers components."""


def build_defs(
    settings: Settings, platform: Platform | None = None, run_for: DayRange | None = None
) -> dg.Definitions:
    """Load the code location for given settings; tests give their own platform.

    Args:
        settings: Decides time zone, first day and schedules.
        platform: The resource that assets use; one for the settings in force if not given.
        run_for: The days of a command's run. For a range Dagster would write a row for each asset
            and day before the first step (7 ms each on SQLite); without partitions it does not,
            and assets report their days themselves (`defs/lake_asset.py`).
    """
    with bound_to(settings), without_plugins():
        loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
        days = partitions_for(settings, run_for)
    freshness = daily_freshness(settings)
    assets = [
        with_freshness(with_partitions(asset, days), freshness)
        for asset in loaded.assets or ()
        if isinstance(asset, dg.AssetsDefinition)
    ]
    resources = {**(loaded.resources or {}), **({"platform": platform} if platform else {})}
    return dg.Definitions(
        assets=assets,
        asset_checks=loaded.asset_checks,
        jobs=loaded.jobs,
        schedules=loaded.schedules,
        sensors=loaded.sensors,
        resources=resources,
        # Steps share the imports of xgboost and evidently (10 s each time otherwise).
        executor=dg.in_process_executor,
    )


@contextmanager
def without_plugins() -> Iterator[None]:
    """Hide from Dagster what installed packages offer to its component system, inside the block.

    Loading a defs folder imports each of these packages to describe them on the pages. dagster-aws
    alone takes 0.6 s, longer than everything else together, and `defs/` has no component.
    """
    entry_points = importlib.metadata.entry_points

    def others(**wanted: Any) -> Any:
        if wanted.get("group") == PLUGINS:
            return importlib.metadata.EntryPoints()
        return entry_points(**wanted)

    importlib.metadata.entry_points = others
    try:
        yield
    finally:
        importlib.metadata.entry_points = entry_points


def partitions_for(settings: Settings, run_for: DayRange | None) -> dg.PartitionsDefinition | None:
    """Return the partitions of the assets: none in a run for a range of days."""
    if run_for is None or len(run_for) == 1:
        return days_partitions(settings, run_for.first if run_for else None)
    return None


@dg.definitions
def defs() -> dg.Definitions:
    """Load what `dagster dev` and the daemon serve.

    Raises:
        SettingsError: Dagster did not find the instance's settings.
    """
    require_readable_home(os.environ.get("DAGSTER_HOME", ""))
    return build_defs(settings_in_force())
