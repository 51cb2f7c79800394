"""The backup: one folder that holds lake, Dagster's instance, ledger and sandbox of one moment.

While a run writes there is no such moment, so a backup waits until none is under way. What it
copied counts only if, at its end, no run has begun or gone on and no file of the lake has changed;
else it takes what changed once more.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from conversion_platform.errors import BackupError
from conversion_platform.lake import STAGING, lake_format
from conversion_platform.upkeep import manifest as kept
from conversion_platform.upkeep.copying import (
    BESIDE_A_DATABASE,
    LOCK,
    PRIVATE_FOLDER,
    copy_database,
    copy_file,
    is_database,
    make_folder,
    readable_copy_errors,
    sync_folder,
    write_private,
)

if TYPE_CHECKING:
    from conversion_platform.lake import Storage
    from conversion_platform.upkeep.places import Places

POLL_SECONDS = 1.0
Stamp = tuple[int, ...]
NOT_ON_THIS_MACHINE = (
    "Keep the bucket by AWS's own means: versioning (`aws s3api put-bucket-versioning --bucket B "
    "--versioning-configuration Status=Enabled`) and AWS Backup with continuous backups, which "
    "restores to a point in time. Then back up the rest with `--without-lake`, at the same time."
)


class Activity(Protocol):
    """What a backup has to know of the runs."""

    def under_way(self) -> str | None:
        """Return what is writing now, in words; None if nothing is."""

    def mark(self) -> str:
        """Return a text that is another one after any change of any run."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for a moment at which nothing is written.

    Attributes:
        seconds: The longest time.
        sleep: Waits; tests give their own.
        clock: Tells seconds that pass.
    """

    seconds: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class BackedUp:
    """A finished backup.

    Attributes:
        folder: Where it is.
        made_at: The moment of its state.
        files: How many files it holds.
        bytes: Their size.
        lake_copied: Whether the lake is among them.
        missing: Parts that the installation does not have yet.
    """

    folder: Path
    made_at: str
    files: int
    bytes: int
    lake_copied: bool
    missing: tuple[str, ...]


def back_up(
    places: Places,
    storage: Storage,
    target: Path,
    activity: Activity,
    patience: Patience,
    now: Callable[[], datetime],
    with_lake: bool = True,
) -> BackedUp:
    """Copy an installation to a folder.

    Args:
        places: What to copy.
        storage: The lake's.
        target: A folder that is new or empty.
        activity: What the runs are doing.
        patience: How long to wait for them.
        now: The time.
        with_lake: Whether the lake is copied.

    Raises:
        BackupError: the target is not safe, the lake is on S3, something kept writing, or a file
            could not be copied. Nothing is left in the target.
        LakeError: the lake cannot be read.
    """
    found = lake_format(storage)
    if found is None:
        raise BackupError(
            f"There is no lake at {places.lake}.", "Run a day first, or correct platform.lake."
        )
    if with_lake and places.lake_folder is None:
        raise BackupError(f"The lake {places.lake} is not on this machine.", NOT_ON_THIS_MACHINE)
    with _emptied_on_failure(safe_target(target, places)) as folder:
        copy = _Copy(folder, places, with_lake)
        made_at = _settled(copy, activity, patience, now)
        manifest = kept.Manifest(
            manifest=kept.VERSION,
            release=version("conversion-platform"),
            made_at=made_at.isoformat(timespec="seconds"),
            lake=places.lake,
            lake_format=found.format,
            lake_copied=with_lake,
            settings_file=str(places.settings_file) if places.settings_file else None,
            files=copy.entries(),
        )
        copy.finish(manifest)
    size = sum(entry.bytes for entry in manifest.files)
    return BackedUp(folder, manifest.made_at, len(manifest.files), size, with_lake, copy.missing())


def safe_target(target: Path, places: Places) -> Path:
    """Return the folder for a backup, resolved.

    Raises:
        BackupError: it holds something, or lies where the platform would take it for its own.
    """
    folder = target.resolve()
    for name, place in places.folders():
        if folder.is_relative_to(place):
            raise BackupError(
                f"{folder} lies inside {name} ({place}).",
                "Name a folder outside of it, best on another disk.",
            )
    if folder.exists() and not folder.is_dir():
        raise BackupError(f"{folder} is a file.", "Name a folder that is new or empty.")
    if folder.is_dir() and any(folder.iterdir()):
        raise BackupError(
            f"{folder} is not empty.",
            f"Name a folder that is new or empty. A backup without {kept.MANIFEST} was not "
            "finished: remove it.",
        )
    return folder


@contextmanager
def _emptied_on_failure(folder: Path) -> Iterator[Path]:
    """Leave nothing of a backup that was not finished."""
    new = not folder.exists()
    try:
        with readable_copy_errors(folder, "Name a folder that this user can write to."):
            make_folder(folder)
            folder.chmod(PRIVATE_FOLDER)
            yield folder
    except BaseException:
        for entry in folder.iterdir() if folder.is_dir() else ():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        if new and folder.is_dir():
            folder.rmdir()
        raise


def _settled(
    copy: _Copy, activity: Activity, patience: Patience, now: Callable[[], datetime]
) -> datetime:
    """Copy until nothing changed meanwhile; return when the copied state was read.

    Raises:
        BackupError: something was writing for as long as we may wait.
    """
    end = patience.clock() + patience.seconds
    while True:
        writing = activity.under_way()
        if writing is None:
            before, read_at = (activity.mark(), copy.lake_state()), now()
            copy.take()
            writing = activity.under_way()
            if writing is None and (activity.mark(), copy.lake_state()) == before:
                return read_at
        if patience.clock() >= end:
            raise BackupError(
                f"No backup was made: {writing or 'something changed the lake meanwhile'}.",
                "Try again when it has ended, or wait longer with --wait. A run whose process "
                "died is told as failed within two minutes while the daemon runs.",
            )
        patience.sleep(POLL_SECONDS)


@dataclass
class _Copy:
    """The copy in the making: what was taken, and how each source looked when it was."""

    folder: Path
    places: Places
    with_lake: bool
    _stamps: dict[str, Stamp] = field(default_factory=dict)
    _entries: dict[str, kept.Entry] = field(default_factory=dict)

    def lake_state(self) -> dict[str, Stamp]:
        """Return how each file of the lake looks now; nothing if the lake is not copied."""
        if not self.with_lake or self.places.lake_folder is None:
            return {}
        found = _files_below(self.places.lake_folder, kept.LAKE)
        return {path: _stamp(file) for path, file in found.items() if file.exists()}

    def take(self) -> None:
        """Copy what is new or has changed; drop what has gone."""
        sources = self._sources()
        for gone in self._stamps.keys() - sources.keys():
            self._drop(gone)
        for path, source in sources.items():
            try:
                self._take_file(path, source)
            except FileNotFoundError:
                self._drop(path)  # it went meanwhile

    def _sources(self) -> dict[str, Path]:
        found = _files_below(self.places.dagster_home, kept.DAGSTER_HOME)
        if self.with_lake and self.places.lake_folder:
            found |= _files_below(self.places.lake_folder, kept.LAKE)
        single = {kept.LEDGER: self.places.ledger, kept.SANDBOX: self.places.sandbox}
        if self.places.settings_file:
            single[kept.SETTINGS] = self.places.settings_file
        return found | {path: file for path, file in single.items() if file.is_file()}

    def _take_file(self, path: str, source: Path) -> None:
        stamp = _stamp(source)
        if self._stamps.get(path) == stamp:
            return
        target = self.folder / path
        take = copy_database if is_database(source) else copy_file
        found = take(source, target)
        mode = source.stat().st_mode & 0o777
        self._stamps[path] = stamp
        self._entries[path] = kept.Entry(path, target.stat().st_size, found, mode)

    def _drop(self, path: str) -> None:
        self._stamps.pop(path, None)
        self._entries.pop(path, None)
        (self.folder / path).unlink(missing_ok=True)

    def entries(self) -> tuple[kept.Entry, ...]:
        """Return what was copied, by path."""
        return tuple(self._entries[path] for path in sorted(self._entries))

    def missing(self) -> tuple[str, ...]:
        """Return the parts that the installation does not have."""
        parts = {
            "a ledger": kept.LEDGER,
            "a sandbox outbox": kept.SANDBOX,
            "a Dagster instance": kept.DAGSTER_HOME,
            "a settings file": kept.SETTINGS,
        }
        paths = self._entries.keys()
        return tuple(
            name
            for name, part in parts.items()
            if not any(path == part or path.startswith(f"{part}/") for path in paths)
        )

    def finish(self, manifest: kept.Manifest) -> None:
        """Read every copy back, then write the manifest, which makes it a backup.

        Raises:
            BackupError: a copy is not what was read.
        """
        kept.check_files(self.folder, manifest)
        write_private(self.folder / kept.MANIFEST, manifest.to_json())
        sync_folder(self.folder)


def _files_below(root: Path, part: str) -> dict[str, Path]:
    """Return the regular files below a folder, by their path in a backup."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != STAGING]
        for file in (Path(folder) / name for name in names):
            if file.is_file() and not file.name.endswith((*BESIDE_A_DATABASE, LOCK)):
                found[f"{part}/{file.relative_to(root).as_posix()}"] = file
    return found


def _stamp(file: Path) -> Stamp:
    """Return what changes with a file's content; a database's newest pages lie beside it."""
    beside = file.with_name(f"{file.name}-wal")
    looks: list[int] = []
    for one in (file, beside):
        found = one.stat() if one is file or beside.exists() else None
        if found and found.st_size:
            looks += (found.st_ino, found.st_size, found.st_mtime_ns)
    return tuple(looks)
