"""What Dagster's databases say when their disk is full or refuses them, as one message."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any, TextIO, cast

from sqlalchemy.exc import DBAPIError

from conversion_platform.errors import DiskFullError, LakeError, PlatformError
from conversion_platform.lake import DISK_FULL

LITTLE = 256 * 1024  # with less than this SQLite cannot even begin a log of changes
DAGSTERS_NOTE = "Exception while writing logger call to event log"
REFUSALS = {
    sqlite3.SQLITE_READONLY: "Give the user that runs the platform write access to it.",
    sqlite3.SQLITE_CANTOPEN: "Give the user that runs the platform access to it.",
    sqlite3.SQLITE_IOERR: "Check that disk. A network drive cannot hold SQLite databases.",
    sqlite3.SQLITE_BUSY: "Another process holds it for half a minute; see which, then try again.",
    sqlite3.SQLITE_CORRUPT: "Restore it from a backup, or move it away: only the history of runs "
    "on Dagster's pages is lost.",
    sqlite3.SQLITE_NOTADB: "Restore it from a backup, or move it away: only the history of runs "
    "on Dagster's pages is lost.",
}


@contextmanager
def readable_instance_errors(home: Path) -> Iterator[None]:
    """Turn what the instance's databases say of their disk into one message.

    Raises:
        DiskFullError: the disk is full.
        LakeError: the databases in `home` cannot be used for another reason.
    """
    try:
        with redirect_stderr(cast(TextIO, _WithoutNotes())):
            yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise _full(home) from error
        if not Path(str(error.filename)).is_relative_to(home):
            raise
        raise _unusable(home, str(error), REFUSALS[sqlite3.SQLITE_READONLY]) from error
    except DBAPIError as error:
        readable = _readable(home, error.orig)
        if readable is None:
            raise
        raise readable from error


def _readable(home: Path, error: BaseException | None) -> PlatformError | None:
    if not isinstance(error, sqlite3.Error):
        return None
    code = (
        getattr(error, "sqlite_errorcode", 0) & 0xFF
    )  # the extended code says more than a person needs
    if code == sqlite3.SQLITE_FULL or (
        code == sqlite3.SQLITE_IOERR and shutil.disk_usage(home).free < LITTLE
    ):
        return _full(home)
    remedy = REFUSALS.get(code)
    return _unusable(home, str(error), remedy) if remedy else None


def _full(home: Path) -> DiskFullError:
    return DiskFullError(
        f"The disk that holds Dagster's instance in {home} is full.",
        "Free space (`conversion-platform prune` removes old runs), or set DAGSTER_HOME to a "
        "folder on another disk, then run the same days again. What was finished stays.",
    )


def _unusable(home: Path, why: str, remedy: str) -> LakeError:
    return LakeError(f"Dagster's instance in {home} cannot be used: {why}.", remedy)


class _WithoutNotes:
    """Standard error without the note that Dagster writes of an error before it raises it."""

    def __init__(self) -> None:
        self._under = sys.stderr

    def write(self, text: str) -> int:
        if not text.startswith(DAGSTERS_NOTE):
            self._under.write(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._under, name)
