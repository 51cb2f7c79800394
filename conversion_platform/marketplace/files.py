"""Finds a source's files (a file, a glob, a folder or s3://) and their format."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

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
FOLDER_DAY = r"(?:^|/)dt=([0-9]{4})-?([0-9]{2})-?([0-9]{2})/"  # 2026-03-01 or 20260301
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class SourceFile:
    """One file of a source.

    Attributes:
        location: Path or URL that DuckDB reads.
        shown: Its name in messages and rejects: relative to the settings file if possible.
        partitions: Hive columns in its path (`dt=2026-01-01`), below the source's root; None where
            the value is missing.
    """

    location: str
    shown: str
    partitions: dict[str, str | None] = field(default_factory=dict)

    @property
    def day(self) -> date | None:
        """The day of the `dt=` folder in its name; None if there is none, or it is no day."""
        found = re.search(FOLDER_DAY, self.shown)
        try:
            return date(*map(int, found.groups())) if found else None
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
    require_plain_folders(base if where.startswith(base) else "", f"{setting}.path")
    try:
        with (
            readable_s3_errors(where, f"{setting}.path")
            if where.startswith("s3://")
            else nullcontext()
        ):
            root, locations = _locations(where, base)
    except LakeError as error:
        raise SourceError(f"{setting}: {error.problem}", error.remedy) from error
    if not locations:
        raise _nothing(where, setting)
    return [
        SourceFile(location, location.removeprefix(base), _partitions(location.removeprefix(root)))
        for location in locations
    ]


def _locations(where: str, base: str) -> tuple[str, list[str]]:
    """Return the folder above the files of a path, and the files in order.

    A path that exists is meant literally, whatever characters it has; another one is a glob. What
    stands before its first wildcard, or is the settings file's own folder, is literal there too.
    """
    if literal := _below(where):
        return _above_partitions(where if literal != [where] else where.rpartition("/")[0]), literal
    named = base if where.startswith(base) else ""
    pattern = where.removeprefix(named)
    fixed = (named + _WILD.split(pattern, maxsplit=1)[0]).rpartition("/")[0]
    matching = re.compile(glob_translate(escape_glob(named) + pattern))
    parts = (named + pattern).removeprefix(f"{fixed}/").split("/")
    found = _below(fixed or "/", parts)
    return _above_partitions(fixed), [one for one in found if matching.fullmatch(one)]


def _above_partitions(folder: str) -> str:
    """Return the folder above the `key=value` folders that a path ends with, with its slash."""
    folder = folder.rstrip("/")
    while "=" in folder.rpartition("/")[2]:
        folder = folder.rpartition("/")[0]
    return f"{folder}/"


def _below(root: str, pattern: Sequence[str] = ()) -> list[str]:
    """Return a file, or the files with data below a folder, in order.

    Args:
        root: The file or folder.
        pattern: Parts of a glob below the folder.
    """
    if root.startswith("s3://"):
        found = [f"s3://{name}" for name in s3_files().find(root)]
    else:
        found = [root] if Path(root).is_file() else _walk(root)
    return sorted(
        one
        for one in found
        if one == root or _is_data(one.removeprefix(root).lstrip("/").split("/"), pattern)
    )


def _walk(root: str) -> list[str]:
    """Return the files below a folder; links are followed, each folder is entered once a path.

    A link to a folder above itself would never end.
    """
    found = []
    for folder, below, names in os.walk(root, followlinks=True):
        above = {Path(folder).resolve(), *Path(folder).resolve().parents}
        below[:] = [name for name in below if Path(folder, name).resolve() not in above]
        found += [str(Path(folder, name)) for name in names]
    return found


def _is_data(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether a file holds data: no part of its path is hidden or temporary.

    `_SUCCESS`, `.crc` and the parts of an export that was not committed (`_temporary/`) are not
    data; a Hive folder (`_day=2026-01-01`) is, and so is what a glob names by its first character.
    """
    named = [*pattern[: pattern.index("**")]] if "**" in pattern else [*pattern]
    return not any(
        part.startswith((".", "_"))
        and "=" not in part
        and not (place < len(named) and named[place].startswith(part[0]))
        for place, part in enumerate(path)
    )


def _partitions(path: str) -> dict[str, str | None]:
    """Return the Hive columns in a path, decoded as Hive, Spark and DuckDB write them."""
    return {
        unquote(name): None if value == _HIVE_NULL else unquote(value)
        for name, value in _HIVE.findall(path)
    }


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


def _nothing(where: str, setting: str) -> SourceError:
    if not where.startswith("s3://") and Path(where).is_dir():
        return SourceError(
            f"{setting}.path: the folder {where} has no data file (names that start with `.` or "
            "`_` are left out).",
            "Put the files there.",
        )
    if _WILD.search(where):
        return SourceError(
            f"{setting}.path: no file matches {where}.", "Correct the glob, or put the files there."
        )
    hint = ""
    if not where.startswith("s3://") and Path(where).parent.is_dir():
        hint = nearest(Path(where).name, (item.name for item in Path(where).parent.iterdir()))
    return SourceError(
        f"{setting}.path: {where} does not exist.",
        f"Correct {setting}.path (relative paths start at the settings file).{hint}",
    )
