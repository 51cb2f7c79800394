"""Finds a source's files (a file, a glob, a folder or s3://) and their format."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fsspec.implementations.local import LocalFileSystem
from fsspec.utils import glob_translate

from conversion_platform.errors import LakeError, SourceError
from conversion_platform.lake import (
    escape_glob,
    readable_s3_errors,
    require_plain_folders,
    s3_files,
)
from conversion_platform.marketplace.errors import nearest

if TYPE_CHECKING:
    from conversion_platform.days import DayRange
    from conversion_platform.settings import InputSection, Settings

Format = Literal["parquet", "csv"]

_EXTENSIONS: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".parq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".csv.gz": "csv",
    ".tsv.gz": "csv",
    ".txt.gz": "csv",
}
_HIVE = re.compile(r"(?:^|/)([^/=]+)=([^/]+)(?=/)")
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class SourceFile:
    """One file of a source.

    Attributes:
        location: Path or URL that DuckDB reads.
        shown: Its name in messages and rejects: relative to the settings file if possible.
        partitions: Hive columns in its path (`dt=2026-01-01`), below the source's root.
    """

    location: str
    shown: str
    partitions: dict[str, str] = field(default_factory=dict)

    @property
    def day(self) -> date | None:
        """The day of its `dt=` folder."""
        try:
            return date.fromisoformat(self.partitions.get("dt", ""))
        except ValueError:
            return None


def find_files(
    settings: Settings, section: InputSection, setting: str
) -> tuple[Format, list[SourceFile]]:
    """Return the files of a source in order, and their format.

    Raises:
        SourceError: no file exists, or they have an unknown format, or more than one format.
    """
    paths = (section.path,) if isinstance(section.path, str) else (section.path or ())
    files = [file for path in paths for file in _expand(settings, path, setting)]
    if section.format in ("parquet", "csv"):
        return ("parquet" if section.format == "parquet" else "csv"), files
    formats = {_format_of(file, setting) for file in files}
    if len(formats) > 1:
        raise SourceError(
            f"{setting}.path mixes Parquet and CSV files.",
            f"Name one kind with a glob (such as *.parquet) in {setting}.path.",
        )
    return formats.pop(), files


def within(files: Iterable[SourceFile], days: DayRange) -> list[SourceFile]:
    """Return the files that can hold rows of `days`: in a `dt=` folder of `days`, or in none."""
    return [file for file in files if file.day is None or file.day in days]


def _expand(settings: Settings, path: str, setting: str) -> list[SourceFile]:
    where = settings.resolve(path)
    base = f"{settings.base}/"
    named = base if where.startswith(base) else ""  # what a folder is called is no pattern
    require_plain_folders(named, f"{setting}.path")
    pattern = where.removeprefix(named)
    root = named + _WILD.split(pattern, maxsplit=1)[0]
    try:
        with (
            readable_s3_errors(where, f"{setting}.path")
            if where.startswith("s3://")
            else nullcontext()
        ):
            locations = _locations(root, escape_glob(named) + pattern)
    except LakeError as error:
        raise SourceError(f"{setting}: {error.problem}", error.remedy) from error
    if not locations:
        raise _nothing(where, setting, wild=pattern)
    return [
        SourceFile(
            location,
            location.removeprefix(base),
            dict(_HIVE.findall(location.removeprefix(root.rpartition("/")[0]))),
        )
        for location in locations
    ]


def _locations(root: str, pattern: str) -> list[str]:
    """Return the file that a path names, those below a folder, or those that match a glob.

    Args:
        root: The path up to its first wildcard.
        pattern: The whole path, in which only what stands for others is a wildcard.
    """
    protocol = "s3://" if root.startswith("s3://") else ""
    files = s3_files() if protocol else LocalFileSystem()
    if escape_glob(root) == pattern:
        found = [name for name in files.find(root) if f"{protocol}{name}" == root or _is_data(name)]
        return sorted(f"{protocol}{name}" for name in found)
    matching = re.compile(glob_translate(pattern))
    folder = root.rpartition("/")[0] or "/"
    found = [f"{protocol}{name}" for name in files.find(folder)]
    return sorted(location for location in found if matching.fullmatch(location))


def _is_data(path: str) -> bool:
    """Return whether a file holds data: not _SUCCESS, .crc, a hidden file or a staging folder."""
    parts = path.split("/")
    return not parts[-1].startswith((".", "_")) and ".staging" not in parts


def _format_of(file: SourceFile, setting: str) -> Format:
    name = file.shown.rpartition("/")[2].lower()
    for extension, kind in _EXTENSIONS.items():
        if name.endswith(extension):
            return kind
    raise SourceError(
        f"{setting}: {file.shown} has an unknown extension.",
        f"Known: {', '.join(_EXTENSIONS)}. For another name set {setting}.format to "
        "'parquet' or 'csv'.",
    )


def _nothing(where: str, setting: str, wild: str) -> SourceError:
    if _WILD.search(wild):
        return SourceError(
            f"{setting}.path: no file matches {where}.", "Correct the glob, or put the files there."
        )
    if not where.startswith("s3://") and Path(where).is_dir():
        return SourceError(f"{setting}.path: the folder {where} is empty.", "Put the files there.")
    hint = ""
    if not where.startswith("s3://") and Path(where).parent.is_dir():
        hint = nearest(Path(where).name, (item.name for item in Path(where).parent.iterdir()))
    return SourceError(
        f"{setting}.path: {where} does not exist.",
        f"Correct {setting}.path (relative paths start at the settings file).{hint}",
    )
