"""Reads CSV files in place, with all values as text; the steps read numbers and times.

The dialect is taken from the header and the settings, never guessed from the data, so that it does
not depend on the rows. A line that does not split into the header's columns is kept as a broken
line. Each file's header is matched to the columns of the first one.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.errors import LakeError, SourceError
from conversion_platform.lake import DISK_FULL, readable_s3_errors, s3_files
from conversion_platform.marketplace.csv_heads import Head, head_of
from conversion_platform.marketplace.csv_lines import Lines, plain_lines, safe_lines
from conversion_platform.marketplace.csv_sql import (
    CsvFile,
    branch,
    call,
    groups_of,
    printed,
    split,
    to_convert,
)
from conversion_platform.marketplace.errors import source_errors
from conversion_platform.marketplace.files import SourceFile
from conversion_platform.marketplace.headers import Headers
from conversion_platform.marketplace.relation import (
    Broken,
    Relation,
    day_column,
    folder_names,
    relation_of,
)

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import InputSection


def csv_relation(
    con: duckdb.DuckDBPyConnection,
    setting: str,
    place: str,
    files: Sequence[SourceFile],
    section: InputSection,
    folder: Path,
) -> Relation:
    """Return the relation of CSV files (`.gz` too).

    Args:
        con: Where the files are counted.
        setting: The settings section, for messages.
        place: Name of the source, for messages.
        files: The files.
        section: Their settings.
        folder: Folder for copies of files that cannot be split as they are.

    Raises:
        SourceError: a file is empty, is cut off, or is not text, or its rows and broken lines are
            not all of its records.
    """
    headers = Headers(setting)
    prepared = []
    for number, file in enumerate(files):
        with _readable(file, setting):
            prepared.append(_prepared(number, file, setting, section, folder, headers))
    counted, broken = _counted(con, setting, prepared, folder)
    parts = [part for group in groups_of(counted) for part in split(group)]
    query = " UNION ALL BY NAME ".join(map(branch, parts))
    with source_errors(setting, place):
        found = relation_of(con, setting, place, query, headers.names)
    return replace(
        found,
        broken=tuple(broken),
        lacking=headers.lacking({one.file.shown: one.all_columns for one in counted}),
        aliases=headers.aliases,
        trimmed=_trimmed(counted),
        repeats_header=True,
        rows=sum(one.rows for one in counted),
        printed=printed(counted),
        day_column=day_column(
            (pair for one in counted for pair in one.folders),
            {name for one in counted for name in one.columns},
        ),
        to_convert=to_convert(counted),
        wider_line=prepared[0].head.wider,
        doubted=_doubted(prepared),
    )


def _trimmed(files: Sequence[CsvFile]) -> frozenset[str]:
    """Return the columns of files whose cells have no blanks around them: no folder's column."""
    if not all(one.lines.trimmed for one in files):
        return frozenset()
    said = {name for one in files for _, name in one.folders}
    return frozenset(name for one in files for name in one.columns) - said


def _doubted(files: Sequence[CsvFile]) -> dict[str, str]:
    """Return the names that only headers have which may be rows, each with the first such file."""
    sure = {name.strip() for one in files if not one.head.is_doubted for name in one.head.names}
    return {
        name.strip(): one.file.shown
        for one in reversed(files)
        if one.head.is_doubted
        for name in one.head.names
        if name.strip() not in sure
    }


def _prepared(
    number: int,
    file: SourceFile,
    setting: str,
    section: InputSection,
    folder: Path,
    headers: Headers,
) -> CsvFile:
    """Return a file that can be split: as it is, or copied."""
    local = _on_disk(number, file, setting, folder)
    head = head_of(local, setting, section)
    names = list(head.names)
    lines = plain_lines(Path(local.location), head.delimiter) if _may_be_plain(head) else None
    if lines is None:
        lines = _copied(number, local, head, folder)
    folders = folder_names(file, names)
    found = headers.columns([*names, *folders])
    columns, said = tuple(found[: len(names)]), found[len(names) :]
    pairs = tuple(zip(folders, said, strict=True))
    return CsvFile(number, file, lines, columns, pairs, head)


def _may_be_plain(head: Head) -> bool:
    return head.encoding == "utf-8" and len(head.names) > 1 and not head.before


def _copied(number: int, file: SourceFile, head: Head, folder: Path) -> Lines:
    copy = folder / f"part-{number:06d}.csv"
    return safe_lines(Path(file.location), head, copy)


def _on_disk(number: int, file: SourceFile, setting: str, folder: Path) -> SourceFile:
    """Return the file, or a local copy of one on S3 (text is read in small pieces)."""
    if not file.location.startswith("s3://"):
        return file
    copy = folder / f"download-{number:06d}-{file.location.rpartition('/')[2]}"
    try:
        with readable_s3_errors(file.location, f"{setting}.path"):
            s3_files().get_file(file.location, str(copy))
    except LakeError as error:
        raise SourceError(f"{setting}: {error.problem}", error.remedy) from error
    return replace(file, location=str(copy))


@dataclass(frozen=True)
class _Counted:
    """A file, the number of its rows, and its broken lines."""

    file: CsvFile
    rows: int
    broken: list[Broken]

    @property
    def is_complete(self) -> bool:
        """Whether rows and broken lines are all records."""
        return self.rows + len(self.broken) == self.file.lines.records


def _counted(
    con: duckdb.DuckDBPyConnection, setting: str, files: Sequence[CsvFile], folder: Path
) -> tuple[list[CsvFile], list[Broken]]:
    """Return the files with the number of their rows, and their broken lines.

    Raises:
        SourceError: rows and broken lines are not all records: the reader lost one.
    """
    found = [
        _certain(con, setting, counted, folder)
        for group in groups_of(files)
        for counted in _count(con, setting, group)
    ]
    found.sort(key=lambda one: one.file.number)
    return (
        [replace(one.file, rows=one.rows) for one in found],
        [line for one in found for line in one.broken],
    )


def _certain(
    con: duckdb.DuckDBPyConnection, setting: str, counted: _Counted, folder: Path
) -> _Counted:
    """Return a file of which no record is lost.

    Blank lines, which the reader skips, are only told from lost records in a copy.
    """
    file = counted.file
    if not counted.is_complete and not file.lines.copied:
        place = replace(file.file, location=file.lines.location)
        lines = _copied(file.number, place, file.head, folder)
        (counted,) = _count(con, setting, [replace(file, lines=lines)])
    if not counted.is_complete:
        raise _lost(setting, counted)
    return counted


def _lost(setting: str, counted: _Counted) -> SourceError:
    found = counted.rows + len(counted.broken)
    return SourceError(
        f"{setting}: {counted.file.file.shown} has {counted.file.lines.records} records, but "
        f"{found} were read.",
        "Look for stray quotes in it, and export it again; nothing was loaded.",
    )


def _count(
    con: duckdb.DuckDBPyConnection, setting: str, group: Sequence[CsvFile]
) -> list[_Counted]:
    """Count each file's rows, and find its broken lines."""
    con.execute("DROP TABLE IF EXISTS _cp_rejects")
    con.execute("DROP TABLE IF EXISTS _cp_scans")
    rejects = (
        "store_rejects = true, rejects_table = '_cp_rejects', rejects_scan = '_cp_scans', "
        "rejects_limit = 0"
    )
    with source_errors(setting, group[0].file.shown):
        rows = con.execute(
            f"SELECT file_index, count(*) FROM {call(group, rejects)} GROUP BY file_index"
        ).fetchall()
        refused = con.execute(
            "SELECT s.file_path, r.line, min(r.error_message), "
            "any_value(r.csv_line ORDER BY r.column_idx) FROM _cp_rejects AS r "
            "JOIN _cp_scans AS s USING (scan_id, file_id) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    count = {int(index): int(number) for index, number in rows}
    broken: dict[str, list[Broken]] = {}
    for path, line, detail, text in refused:
        broken.setdefault(path, []).append(_broken(group, path, int(line), detail, text))
    return [
        _Counted(file, count.get(place, 0), broken.get(file.lines.location, []))
        for place, file in enumerate(group)
    ]


def _broken(
    group: Sequence[CsvFile], path: str, line: int, detail: str, text: str | None
) -> Broken:
    file = next(one for one in group if one.lines.location == path)
    number = line if file.lines.copied else line - 1
    if number in file.lines.unsafe:
        return Broken(file.file.shown, number, *file.lines.unsafe[number])
    return Broken(file.file.shown, number, detail, (text or "").strip("\r\n"))


@contextmanager
def _readable(file: SourceFile, setting: str) -> Iterator[None]:
    """Translate the errors of reading a file's bytes."""
    try:
        yield
    except EOFError as error:
        raise SourceError(
            f"{setting}: {file.shown} is cut off in the middle (the gzip stream does not end).",
            "Copy or export the file again; nothing was loaded.",
        ) from error
    except UnicodeError as error:
        raise SourceError(
            f"{setting}: {file.shown} is not in the encoding that {setting}.encoding names: "
            f"{error}.",
            f"Correct {setting}.encoding; nothing was loaded.",
        ) from error
    except csv.Error as error:
        raise SourceError(
            f"{setting}: the header of {file.shown} cannot be split: {error}.",
            f"Correct {setting}.delimiter, or export the file again.",
        ) from error
    except (OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            raise  # the working folder's disk is full: the lake translates that
        raise SourceError(
            f"{setting}: {file.shown} cannot be read: {error}.",
            "Check the file's format and its permissions.",
        ) from error
