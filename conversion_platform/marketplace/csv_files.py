"""Reads CSV files in place, with all values as text; the steps read numbers and times.

The dialect is taken from the header and the settings, never guessed from the data, so that it does
not depend on the rows. A line that does not split into the header's columns is kept as a broken
line. Each file's header is matched to the columns of the first one.
"""

from __future__ import annotations

import codecs
import csv
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.errors import LakeError, SourceError
from conversion_platform.lake import (
    DISK_FULL,
    file_sql,
    identifier,
    quoted,
    readable_s3_errors,
    rendered,
    s3_files,
)
from conversion_platform.marketplace.csv_lines import (
    Lines,
    first_record,
    header_lines,
    is_packed,
    opened,
    plain_lines,
    safe_lines,
    text_of,
)
from conversion_platform.marketplace.errors import source_errors
from conversion_platform.marketplace.files import SourceFile
from conversion_platform.marketplace.headers import Headers
from conversion_platform.marketplace.relation import (
    Broken,
    Relation,
    folder_names,
    folder_of,
    given_names,
    of_file,
    read_names,
    relation_of,
)

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import InputSection

_DELIMITERS = (",", ";", "\t", "|")
_PARQUET = b"PAR1\x15"  # magic bytes, and the first byte of the first structure
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_BRANCHES = 8  # a number of rows in order is counted by one thread: several are counted at once


@dataclass(frozen=True)
class CsvFile:
    """One file, ready to be split.

    Attributes:
        number: Its place among the files of the source, from 0.
        file: The file as the settings name it.
        lines: What is split.
        columns: Its columns, by their names in SQL.
        folders: Names of the columns that its folders say, each with its name in SQL.
        delimiter: Delimiter of its fields.
        encoding: Encoding of the original.
        rows: Its rows: records that split into its columns.
    """

    number: int
    file: SourceFile
    lines: Lines
    columns: tuple[str, ...]
    folders: tuple[tuple[str, str], ...]
    delimiter: str
    encoding: str
    rows: int = 0

    @property
    def all_columns(self) -> list[str]:
        """Its own columns and those that its folders say, by their names in SQL."""
        return [*self.columns, *(name for _, name in self.folders)]

    @property
    def dialect(self) -> tuple[object, ...]:
        """What files must share to be read by one call."""
        packed = is_packed(Path(self.lines.location))
        return (self.columns, self.delimiter, self.lines.copied, packed, self.folders)


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
    branches = [branch for group in _groups(counted) for branch in _split(group)]
    query = " UNION ALL BY NAME ".join(map(_branch, branches))
    with source_errors(setting, place):
        found = relation_of(con, setting, place, query, headers.names)
    return replace(
        found,
        broken=tuple(broken),
        lacking=headers.lacking({one.file.shown: one.all_columns for one in counted}),
        aliases=headers.aliases,
        repeats_header=True,
        rows=sum(one.rows for one in counted),
        printed=_printed(counted),
    )


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
    encoding = _encoding(local, section)
    names, delimiter = _header(local, setting, section, encoding)
    lines = plain_lines(Path(local.location)) if encoding == "utf-8" and len(names) > 1 else None
    if lines is None:
        lines = _copied(number, local, encoding, delimiter, len(names), folder)
    folders = folder_names(file, names)
    found = headers.columns([*names, *folders])
    columns, said = tuple(found[: len(names)]), found[len(names) :]
    pairs = tuple(zip(folders, said, strict=True))
    return CsvFile(number, file, lines, columns, pairs, delimiter, encoding)


def _copied(
    number: int, file: SourceFile, encoding: str, delimiter: str, columns: int, folder: Path
) -> Lines:
    copy = folder / f"part-{number:06d}.csv"
    return safe_lines(Path(file.location), encoding, delimiter, columns, copy)


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


def _encoding(file: SourceFile, section: InputSection) -> str:
    """Return the encoding that a file's first bytes say, else that of the settings."""
    with opened(Path(file.location)) as stream:
        start = stream.read(4)
    return next((name for mark, name in _MARKS.items() if start.startswith(mark)), section.encoding)


def _header(
    file: SourceFile, setting: str, section: InputSection, encoding: str
) -> tuple[list[str], str]:
    """Return the names in a file's header, and its delimiter."""
    _refuse_parquet(file, setting)
    with opened(Path(file.location)) as stream, text_of(stream, encoding) as text:
        lines = header_lines(text)
        joined = "".join(lines)
        delimiter = section.delimiter or max(_DELIMITERS, key=lambda m: _outside_quotes(joined, m))
        names = first_record(chain(lines, text), delimiter)
    if not any(name.strip() for name in names):
        raise SourceError(
            f"{setting}: {file.shown} is empty: it has no header line.",
            "Export the file again, with its column names in the first line.",
        )
    try:
        "".join(names).encode()
    except UnicodeEncodeError as error:
        raise SourceError(
            f"{setting}: the header of {file.shown} is not {encoding.upper()}.",
            f'Name its encoding: {setting}.encoding = "latin-1" (or cp1252, utf-16 ...).',
        ) from error
    return names, delimiter


def _refuse_parquet(file: SourceFile, setting: str) -> None:
    with opened(Path(file.location)) as stream:
        start = stream.read(len(_PARQUET))
    if start == _PARQUET:
        raise SourceError(
            f"{setting}: {file.shown} is a Parquet file, but its name does not say so.",
            f'Name it `.parquet`, or set {setting}.format = "parquet".',
        )


def _outside_quotes(text: str, mark: str) -> int:
    return sum(part.count(mark) for part in text.split('"')[::2])


def _groups(files: Sequence[CsvFile]) -> list[list[CsvFile]]:
    """Return the files that one call can read together, in order."""
    ordered = sorted(files, key=lambda one: (str(one.dialect), one.number))
    return [list(group) for _, group in groupby(ordered, key=lambda one: one.dialect)]


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
        for group in _groups(files)
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
        lines = _copied(file.number, place, "utf-8", file.delimiter, len(file.columns), folder)
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
            f"SELECT file_index, count(*) FROM {_call(group, rejects)} GROUP BY file_index"
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


def _call(files: Sequence[CsvFile], errors: str) -> str:
    """Return the SQL call that reads the files of a group."""
    one = files[0]
    return rendered(
        f"{__package__}.sql",
        "read_csv",
        files=", ".join(file_sql(file.lines.location) for file in files),
        header=str(not one.lines.copied).lower(),
        compression=quoted("gzip" if is_packed(Path(one.lines.location)) else "none"),
        delimiter=quoted(one.delimiter),
        columns=", ".join(f"{quoted(name)}: 'VARCHAR'" for name in read_names(one.columns)),
        errors=f"encoding = {quoted(_duckdb_encoding(one))}, {errors}",
    )


def _duckdb_encoding(file: CsvFile) -> str:
    """Return the encoding as DuckDB names it; a copy is UTF-8, and so is what it cannot read."""
    if file.lines.copied:
        return "utf-8"
    name = codecs.lookup(file.encoding).name
    return {"iso8859-1": "latin-1", "utf-16": "utf-16"}.get(name, "utf-8")


def _split(group: Sequence[CsvFile]) -> Iterator[list[CsvFile]]:
    """Yield the files of a group in order, in parts of about as many rows."""
    most = max(sum(file.rows for file in group) // _BRANCHES, 1)
    part: list[CsvFile] = []
    for file in group:
        if part and sum(one.rows for one in part) + file.rows > most:
            yield part
            part = []
        part.append(file)
    yield part


def _branch(files: Sequence[CsvFile]) -> str:
    """Return SQL of the rows of files, each with its file and its number in it."""
    before = [sum(file.rows for file in files[:place]) for place in range(len(files))]
    hive = "".join(
        f", {of_file([file.file.partitions[folder] for file in files])} AS {identifier(name)}"
        for folder, name in files[0].folders
    )
    return rendered(
        f"{__package__}.sql",
        "csv_rows",
        columns=", ".join(given_names(files[0].columns)) + hive,
        source=of_file([file.file.shown for file in files]),
        number=of_file([str(file.number) for file in files], "BIGINT"),
        before=of_file([str(number) for number in before], "BIGINT"),
        folder=of_file([folder_of(file.file.shown) for file in files], "DATE"),
        call=_call(files, "ignore_errors = true"),
    )


def _printed(files: Sequence[CsvFile]) -> str | None:
    """Return SQL that reads the files themselves; None if none of them was copied."""
    if not any(file.lines.copied for file in files):
        return None
    originals = [
        replace(file, lines=replace(file.lines, location=file.file.location, copied=False))
        for file in files
    ]
    return " UNION ALL BY NAME ".join(_branch(group) for group in _groups(originals))


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
