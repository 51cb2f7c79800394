"""The manifest of a backup: every file with its size, digest and mode, written last.

A folder without `manifest.json` holds no backup: it was not finished.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.errors import BackupError
from conversion_platform.upkeep.copying import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = "manifest.json"
VERSION = 1
LAKE, DAGSTER_HOME = "lake", "dagster_home"
LEDGER, SANDBOX = "messaging/ledger.sqlite", "messaging/sandbox.sqlite"
SETTINGS = "conversion_platform.toml"
SHOWN = 5


@dataclass(frozen=True)
class Entry:
    """One file of a backup.

    Attributes:
        path: Below the backup's folder, with `/` between parts.
        bytes: Its size.
        sha256: Its digest.
        mode: The permissions of the file that it is a copy of.
    """

    path: str
    bytes: int
    sha256: str
    mode: int


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Attributes:
        manifest: Version of this document.
        release: The release of conversion-platform that made the backup.
        made_at: When its state was read (UTC, ISO 8601).
        lake: Where the lake was.
        lake_format: Its format.
        lake_copied: Whether the lake is in the backup.
        settings_file: Where the settings file was; None if there was none.
        files: Every file, by path.
    """

    manifest: int
    release: str
    made_at: str
    lake: str
    lake_format: int
    lake_copied: bool
    settings_file: str | None
    files: tuple[Entry, ...]

    def to_json(self) -> bytes:
        """Return the document."""
        return (json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n").encode()

    def below(self, part: str) -> list[Entry]:
        """Return the files of a part: a folder, or one file."""
        return [
            entry for entry in self.files if entry.path == part or entry.path.startswith(f"{part}/")
        ]


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a backup.

    Raises:
        BackupError: there is none, or it is damaged or of a later release.
    """
    file = folder / MANIFEST
    if not file.is_file():
        raise BackupError(
            f"{folder} holds no backup: there is no {MANIFEST} in it.",
            "Name the folder that `conversion-platform backup` was given; one without a manifest "
            "was not finished.",
        )
    try:
        value = json.loads(file.read_bytes())
        if value["manifest"] > VERSION:
            raise BackupError(
                f"{file} was written by a later conversion-platform ({value['release']}).",
                "Restore it with that release.",
            )
        files = tuple(Entry(**entry) for entry in value.pop("files"))
        return Manifest(files=files, **value)
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{file} is damaged ({error!r}).", "Use another backup.") from error


def check_files(folder: Path, manifest: Manifest) -> None:
    """Make sure that every file of a backup is there with the bytes that were written.

    Raises:
        BackupError: naming the files that are not.
    """
    wrong = list(_wrong_files(folder, manifest))
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise BackupError(
            f"The backup in {folder} is damaged: {'; '.join(wrong[:SHOWN])}{more}.",
            "Use another backup, or another copy of this one.",
        )


def _wrong_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    for entry in manifest.files:
        file = folder / entry.path
        if not inside(file, folder):
            yield f"{entry.path} lies outside of it"
        elif not file.is_file():
            yield f"{entry.path} is missing"
        elif file.stat().st_size != entry.bytes or digest(file) != entry.sha256:
            yield f"{entry.path} has other bytes"


def inside(path: Path, folder: Path) -> bool:
    """Return whether a path is a folder, or lies below it."""
    return path.resolve().is_relative_to(folder.resolve())
