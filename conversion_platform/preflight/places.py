"""Checks the places that a run writes to, and that lake and ledger belong together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from conversion_platform.errors import Finding, PlatformError, SettingsError
from conversion_platform.lake import open_lake, require_format
from conversion_platform.messaging import ledger_path, require_own_lake
from conversion_platform.settings import Settings


def check_places(settings: Settings) -> Iterator[Finding]:
    """Find what keeps a run from writing its lake and ledger; nothing is made."""
    try:
        ledger = ledger_path(settings)
    except SettingsError as error:
        yield Finding("messaging.ledger", error)
        return
    problems = [*_local_problems(settings), *_file_problems("messaging.ledger", ledger)]
    yield from problems or _lake_problems(settings)


def _local_problems(settings: Settings) -> Iterator[Finding]:
    if not settings.lake_root.startswith("s3://"):
        yield from folder_problems("platform.lake", Path(settings.lake_root))


def folder_problems(setting: str, folder: Path) -> Iterator[Finding]:
    """Find what keeps a folder from being made, or from being written to."""
    existing = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not existing.is_dir():
        yield _refused(setting, folder, f"{existing} is no folder")
    elif not os.access(existing, os.W_OK | os.X_OK):
        yield _refused(setting, folder, f"this user cannot write to {existing}")


def _file_problems(setting: str, file: Path) -> Iterator[Finding]:
    if file.is_dir():
        yield _refused(setting, file, "it is a folder")
    else:
        yield from folder_problems(setting, file.parent)


def _refused(setting: str, place: Path, why: str) -> Finding:
    return Finding(
        setting,
        SettingsError(
            f"`{setting}` = {str(place)!r} cannot be used: {why}.",
            "Name a place that exists or can be made, and that this user can write to.",
        ),
    )


def _lake_problems(settings: Settings) -> Iterator[Finding]:
    """Find what keeps a run from using a lake that may exist already."""
    try:
        lake = open_lake(settings)
        require_own_lake(settings, lake.storage)
        require_format(lake.storage)
    except PlatformError as error:
        yield Finding("platform.lake", error)
        return
    try:
        lake.require_time_zone(settings.platform.time_zone)
    except PlatformError as error:
        yield Finding("platform.time_zone", error)
