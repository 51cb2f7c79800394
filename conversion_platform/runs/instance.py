"""The Dagster instance of an installation: its folder, its settings, how it is opened."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from conversion_platform.errors import SettingsError
from conversion_platform.runs.dagster_internals import NO_CAPTURE, InstanceRef
from conversion_platform.runs.instance_errors import readable_instance_errors
from conversion_platform.runs.instance_settings import read_settings, write_settings
from conversion_platform.settings import Settings

HOME_VARIABLE = "DAGSTER_HOME"
NOT_IN_AN_ADDRESS = re.compile(r"\?|%[0-9A-Fa-f]{2}")  # SQLAlchemy's `sqlite:///PATH?options`


def home_path(settings: Settings) -> Path:
    """Return the instance's folder: DAGSTER_HOME, else `dagster_home` beside the settings file.

    Raises:
        SettingsError: Dagster would put its databases elsewhere.
    """
    home = Path(os.environ.get(HOME_VARIABLE) or settings.base / "dagster_home").absolute()
    if misread := NOT_IN_AN_ADDRESS.search(str(home)):
        raise SettingsError(
            f"Dagster cannot keep its databases in {home}: it opens them by an address, in which "
            f"{misread[0]!r} means something else.",
            f"Set {HOME_VARIABLE} to a folder whose path has no ?, and no % before two digits.",
        )
    return home


def dagster_home(settings: Settings) -> Path:
    """Return the instance's folder; one without dagster.yaml gets it, an earlier one a new one."""
    home = home_path(settings)
    with readable_instance_errors(home):
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
def open_instance(settings: Settings, capture: bool = False) -> Iterator[dg.DagsterInstance]:
    """Open the Dagster instance of this installation; DAGSTER_HOME names it meanwhile.

    Args:
        settings: Those in force.
        capture: Whether the instance keeps what steps print, as it does for the daemon.

    Raises:
        LakeError: the disk that holds the instance is full, or refuses it.
    """
    home = dagster_home(settings)
    before = os.environ.get(HOME_VARIABLE)
    os.environ[HOME_VARIABLE] = str(home)
    try:
        with readable_instance_errors(home):
            reference = InstanceRef.from_dir(str(home), overrides=_overrides(home, capture))
            with _alone(home):
                opened = dg.DagsterInstance.from_ref(reference)
            with opened as instance:
                yield instance
    finally:
        os.environ.pop(HOME_VARIABLE)
        if before is not None:
            os.environ[HOME_VARIABLE] = before


def _overrides(home: Path, capture: bool) -> dict[str, Any]:
    """Return the settings in dagster.yaml: Dagster globs for that file, and misses it below `[`."""
    return {**read_settings(home), **({} if capture else NO_CAPTURE)}
