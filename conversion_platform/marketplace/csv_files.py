"""Stages CSV files, with all values as text, as Parquet; casting.py reads numbers and times.

The dialect is taken from the header line and the settings, never guessed from the data, so that
it does not depend on the rows. A line that does not split into the header's columns is kept as a
broken line.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.errors import LakeError, SourceError
from conversion_platform.lake import DISK_FULL, file_sql, quoted, readable_s3_errors, s3_files
from conversion_platform.marketplace.csv_lines import Lines, is_packed, opened, safe_lines
from conversion_platform.marketplace.errors import source_errors
from conversion_platform.marketplace.files import SourceFile
from conversion_platform.marketplace.relation import (
    SOURCE,
    Broken,
    Relation,
    identifier,
    staged_relation,
)

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import InputSection

_DELIMITERS = (",", ";", "\t", "|")
_BYTES = 1 << 20
_PARQUET = b"PAR1\x15"  # magic bytes, and the first byte of the first structure


def csv_relation(
    con: duckdb.DuckDBPyConnection,
    setting: str,
    place: str,
    files: Sequence[SourceFile],
    section: InputSection,
    folder: Path,
) -> Relation:
    """Return the relation of CSV files (`.gz` too).

    Raises:
        SourceError: a file is empty, is cut off, or is not text.
    """
    staged, broken = [], []
    for number, file in enumerate(files, start=1):
        target = folder / f"{setting}-{number:06d}.parquet"
        with _on_disk(file, setting, folder) as local:
            broken += _stage(con, setting, local, section, target)
        staged.append(target)
    return staged_relation(con, setting, place, staged, broken)


@contextmanager
def _on_disk(file: SourceFile, setting: str, folder: Path) -> Iterator[SourceFile]:
    """Yield the file, or a temporary local copy of one on S3 (text is read in small pieces)."""
    if not file.location.startswith("s3://"):
        yield file
        return
    copy = folder / f"copy-{file.location.rpartition('/')[2]}"
    try:
        with readable_s3_errors(file.location, f"{setting}.path"):
            s3_files().get_file(file.location, str(copy))
    except LakeError as error:
        raise SourceError(f"{setting}: {error.problem}", error.remedy) from error
    try:
        yield replace(file, location=str(copy))
    finally:
        copy.unlink()


def _stage(
    con: duckdb.DuckDBPyConnection,
    setting: str,
    file: SourceFile,
    section: InputSection,
    target: Path,
) -> list[Broken]:
    """Write a file's rows to `target` and return its broken lines.

    Raises:
        SourceError: it cannot be read, or DuckDB's rows and rejects are not all of its records.
    """
    names, delimiter = _header(file, setting, section.delimiter)
    copy = target.with_suffix(".csv")
    with _readable(file, setting):
        lines = safe_lines(Path(file.location), delimiter, len(names), copy)
    query = _query(file, lines.location, section, names, delimiter)
    with source_errors(setting, file.shown):
        rows, broken = _copy_out(con, file, lines, query, target)
    copy.unlink(missing_ok=True)
    if rows + len(broken) != lines.records:
        raise SourceError(
            f"{setting}: {file.shown} has {lines.records} records, but {rows + len(broken)} were "
            "read.",
            "Look for stray quotes in it, and export it again; nothing was loaded.",
        )
    return broken


def _query(
    file: SourceFile,
    location: str,
    section: InputSection,
    names: Sequence[str],
    delimiter: str,
) -> str:
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
    nulls = ", ".join(quoted(text) for text in section.null_values)
    own = {name.lower() for name in names}
    hive = "".join(
        f", {quoted(value)} AS {identifier(name)}"
        for name, value in file.partitions.items()
        if name.lower() not in own
    )
    return (
        f"SELECT *{hive}, {quoted(file.shown)} AS {SOURCE} FROM "
        f"read_csv({file_sql(location)}, auto_detect = false, header = true, "
        f"compression = {quoted('gzip' if is_packed(Path(location)) else 'none')}, "
        f"delim = {quoted(delimiter)}, quote = '\"', escape = '\"', columns = {{{columns}}}, "
        f"nullstr = [{nulls}], hive_partitioning = false, store_rejects = true, "
        "rejects_table = '_cp_rejects', rejects_scan = '_cp_scans')"
    )


def _copy_out(
    con: duckdb.DuckDBPyConnection, file: SourceFile, lines: Lines, query: str, target: Path
) -> tuple[int, list[Broken]]:
    """Copy the lines that split into the header's columns; return their number and the others."""
    con.execute("DROP TABLE IF EXISTS _cp_rejects")
    con.execute("DROP TABLE IF EXISTS _cp_scans")
    copied = con.execute(f"COPY ({query}) TO {quoted(str(target))} (FORMAT parquet)").fetchone()
    assert copied is not None
    found = con.execute(
        "SELECT line - 1, min(error_message), any_value(csv_line ORDER BY column_idx) "
        "FROM _cp_rejects GROUP BY line ORDER BY line"
    ).fetchall()
    return int(copied[0]), [
        Broken(file.shown, int(number), *lines.unsafe[number])
        if number in lines.unsafe
        else Broken(file.shown, int(number), detail, (text or "").strip("\r\n"))
        for number, detail, text in found
    ]


def _header(file: SourceFile, setting: str, delimiter: str | None) -> tuple[list[str], str]:
    """Return the column names of a file, and their delimiter."""
    line = _first_line(file, setting)
    if not line.strip():
        raise SourceError(
            f"{setting}: {file.shown} is empty: it has no header line.",
            "Export the file again, with its column names in the first line.",
        )
    separator = delimiter or max(_DELIMITERS, key=lambda mark: _outside_quotes(line, mark))
    names = next(csv.reader(io.StringIO(line, newline=""), delimiter=separator))
    return _distinct(names), separator


def _outside_quotes(line: str, mark: str) -> int:
    return sum(part.count(mark) for part in line.split('"')[::2])


def _distinct(names: Sequence[str]) -> list[str]:
    """Name columns without a name, and number repeated names."""
    seen: set[str] = set()
    result = []
    for place, given in enumerate(names, start=1):
        name = base = given.strip() or f"column_{place}"
        number = 2
        while name.lower() in seen:
            name, number = f"{base}_{number}", number + 1
        seen.add(name.lower())
        result.append(name)
    return result


def _first_line(file: SourceFile, setting: str) -> str:
    """Return the first line that is not blank, with any kind of line end."""
    with _readable(file, setting), opened(Path(file.location)) as stream:
        pieces = (piece.lstrip(b"\r\n") for piece in iter(partial(stream.readline, _BYTES), b""))
        line = next((piece.partition(b"\r")[0] for piece in pieces if piece), b"")
    if line.startswith(_PARQUET):
        raise SourceError(
            f"{setting}: {file.shown} is a Parquet file, but its name does not say so.",
            f'Name it `.parquet`, or set {setting}.format = "parquet".',
        )
    try:
        return line.decode("utf-8-sig").rstrip("\n")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{setting}: the header of {file.shown} is not UTF-8: {error}.", "Save it as UTF-8."
        ) from error


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
    except (OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            raise  # the working folder's disk is full: the lake translates that
        raise SourceError(
            f"{setting}: {file.shown} cannot be read: {error}.",
            "Check the file's format and its permissions.",
        ) from error
