"""What the commands for upkeep ask of the instance; Dagster is imported where it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from conversion_platform.runs.activity import RunActivity
    from conversion_platform.runs.pruning import Pruned
    from conversion_platform.settings import Settings


def instance_home(settings: Settings) -> Path:
    """Return the folder of an installation's instance, which may not exist yet.

    Raises:
        SettingsError: Dagster cannot keep its databases there.
    """
    from conversion_platform.runs.instance import home_path

    return home_path(settings)


@contextmanager
def run_activity(settings: Settings) -> Iterator[RunActivity]:
    """Look at the runs of an installation; one that has no instance gets none by this."""
    from conversion_platform.runs.activity import RunActivity
    from conversion_platform.runs.instance import home_path, open_instance

    home = home_path(settings)
    if not home.is_dir() or not any(home.iterdir()):
        yield RunActivity(None)
        return
    with open_instance(settings) as instance:
        yield RunActivity(instance)


def instance_in_use(settings: Settings) -> str | None:
    """Return what uses the instance of an installation, in words; None if nothing does."""
    with run_activity(settings) as activity:
        return activity.under_way() or activity.daemon()


def prune_instance(settings: Settings, before: datetime) -> Pruned:
    """Remove what the instance keeps of runs that were made before a moment (see pruning.py)."""
    from conversion_platform.runs.instance import open_instance
    from conversion_platform.runs.pruning import prune

    with open_instance(settings, capture=True) as instance:
        return prune(instance, before)


def renew_instance(settings: Settings) -> list[str]:
    """Bring dagster.yaml up to this release, and say what a person has to do about it."""
    from conversion_platform.runs.instance import home_path
    from conversion_platform.runs.instance_settings import renewed_settings

    return renewed_settings(home_path(settings))
