"""The Dagster instance of an installation: its folder, its settings, how it is opened."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import dagster as dg

from conversion_platform.runs.dagster_internals import NO_CAPTURE, InstanceRef
from conversion_platform.runs.instance_settings import write_settings
from conversion_platform.settings import Settings

HOME_VARIABLE = "DAGSTER_HOME"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def dagster_home(settings: Settings) -> Path:
    """The instance's folder: DAGSTER_HOME, else `dagster_home` beside the settings file.

    A folder without dagster.yaml gets one, and one of an earlier release is brought up to date.
    """
    home = Path(os.environ.get(HOME_VARIABLE) or settings.base / "dagster_home").absolute()
    home.mkdir(parents=True, exist_ok=True)
    with _alone(home):
        write_settings(home)
    return home


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep other processes from creating the instance meanwhile.

    Two that make its databases at the same time leave a schema that nothing opens any more.
    """
    with (home / "create.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of this installation; DAGSTER_HOME names it meanwhile."""
    home = dagster_home(settings)
    before = os.environ.get(HOME_VARIABLE)
    os.environ[HOME_VARIABLE] = str(home)
    try:
        reference = InstanceRef.from_dir(str(home), overrides=NO_CAPTURE)
        with _alone(home):
            opened = dg.DagsterInstance.from_ref(reference)
        with opened as instance:
            yield instance
    finally:
        os.environ.pop(HOME_VARIABLE)
        if before is not None:
            os.environ[HOME_VARIABLE] = before


def last_run_day(instance: dg.DagsterInstance) -> date | None:
    """The last day of the newest successful daily run."""
    wanted = dg.RunsFilter(job_name="daily", statuses=[dg.DagsterRunStatus.SUCCESS])
    for run in instance.get_runs(wanted, limit=1):
        key = run.tags.get(RANGE_END) or run.tags.get("dagster/partition")
        return date.fromisoformat(key) if key else None
    return None
