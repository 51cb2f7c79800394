"""Finds a source's files: a file, a glob, a folder or s3://, and what format they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from conversion_platform.errors import SourceError
from conversion_platform.marketplace.faults import nearest

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
        location: What DuckDB reads.
        shown: Its name in messages and rejects: relative to the settings file where it can be.
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
    settings: Settings, section: InputSection, setting: str, client: Any | None = None
) -> tuple[Format, list[SourceFile]]:
    """The files of a source in order, and their format.

    Raises:
        SourceError: there is none, they are of an unknown format, or of more than one.
    """
    paths = (section.path,) if isinstance(section.path, str) else (section.path or ())
    files = [file for path in paths for file in _expand(settings, path, setting, client)]
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
    """The files that can hold rows of `days`: those in no `dt=` folder, or in one of `days`."""
    return [file for file in files if file.day is None or file.day in days]


def _expand(settings: Settings, path: str, setting: str, client: Any) -> list[SourceFile]:
    where = settings.resolve(path)
    locations = _on_s3(where, setting, client) if where.startswith("s3://") else _local(where)
    if not locations:
        raise _nothing(where, setting)
    root = _WILD.split(where, maxsplit=1)[0]
    base = f"{settings.base}/"
    return [
        SourceFile(
            location,
            location.removeprefix(base),
            dict(_HIVE.findall(location.removeprefix(root.rpartition("/")[0]))),
        )
        for location in locations
    ]


def _local(where: str) -> list[str]:
    path = Path(where)
    if path.is_file():
        return [where]
    if path.is_dir():
        return sorted(str(item) for item in path.rglob("*") if item.is_file() and _is_data(item))
    if not _WILD.search(where):
        return []
    matching = re.compile(_glob_pattern(where))
    below = Path(_WILD.split(where, maxsplit=1)[0].rpartition("/")[0] or "/").rglob("*")
    return sorted(str(item) for item in below if matching.fullmatch(str(item)) and item.is_file())


def _is_data(path: Path | str) -> bool:
    """Leaves out what writers leave behind: _SUCCESS, .crc, hidden files, dot folders."""
    parts = Path(path).parts
    return not parts[-1].startswith((".", "_")) and ".staging" not in parts


def _on_s3(where: str, setting: str, client: Any) -> list[str]:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = where.removeprefix("s3://").partition("/")
    prefix = _WILD.split(key, maxsplit=1)[0]
    try:
        pages = (client or boto3.client("s3")).get_paginator("list_objects_v2")
        found = [
            item["Key"]
            for page in pages.paginate(Bucket=bucket, Prefix=prefix)
            for item in page.get("Contents", [])
        ]
    except (BotoCoreError, ClientError) as error:
        raise SourceError(
            f"{setting}: {where} cannot be listed: {error}",
            "Check the bucket's name, the AWS credentials and the region.",
        ) from error
    return sorted(f"s3://{bucket}/{name}" for name in found if _matches(name, key))


def _matches(name: str, key: str) -> bool:
    if _WILD.search(key):
        return re.fullmatch(_glob_pattern(key), name) is not None
    folder = f"{key.rstrip('/')}/" if key else ""
    return name == key or (name.startswith(folder) and not name.endswith("/") and _is_data(name))


def _glob_pattern(pattern: str) -> str:
    """`*` stays within a folder, `**/` crosses them, as in a local glob."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]*\])", pattern)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(
        meaning.get(part, part if part.startswith("[") else re.escape(part)) for part in parts
    )


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
    if _WILD.search(where):
        return SourceError(
            f"{setting}.path: no file matches {where}.", "Correct the glob, or put the files there."
        )
    if not where.startswith("s3://") and Path(where).is_dir():
        return SourceError(
            f"{setting}.path: the folder {where} holds no file.", "Put the files there."
        )
    hint = ""
    if not where.startswith("s3://") and Path(where).parent.is_dir():
        hint = nearest(Path(where).name, (item.name for item in Path(where).parent.iterdir()))
    return SourceError(
        f"{setting}.path: there is no {where}.",
        f"Correct {setting}.path (relative paths start at the settings file).{hint}",
    )
