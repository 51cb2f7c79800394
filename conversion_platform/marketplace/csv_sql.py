"""SQL that reads CSV files that can be split, each row with its file and its number in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from conversion_platform.lake import file_sql, identifier, quoted, rendered
from conversion_platform.marketplace.csv_heads import Head, is_packed
from conversion_platform.marketplace.csv_lines import Lines
from conversion_platform.marketplace.files import SourceFile
from conversion_platform.marketplace.relation import (
    folder_of,
    given_names,
    of_file,
    read_names,
)
from conversion_platform.terminal import in_one_line

_BRANCHES = 8  # a number of rows in order is counted by one thread: several are counted at once

_CONVERTED = "_utf-8_"
_NAMED = 3


@dataclass(frozen=True)
class CsvFile:
    """One file, ready to be split.

    Attributes:
        number: Its place among the files of the source, from 0.
        file: The file as the settings name it.
        lines: What is split.
        columns: Its columns, by their names in SQL.
        folders: Names of the columns that its folders say, each with its name in SQL.
        head: How the original begins.
        rows: Its rows: records that split into its columns.
    """

    number: int
    file: SourceFile
    lines: Lines
    columns: tuple[str, ...]
    folders: tuple[tuple[str, str], ...]
    head: Head
    rows: int = 0

    @property
    def all_columns(self) -> list[str]:
        """Its own columns and those that its folders say, by their names in SQL."""
        return [*self.columns, *(name for _, name in self.folders)]

    @property
    def dialect(self) -> tuple[object, ...]:
        """What files must share to be read by one call."""
        packed = is_packed(Path(self.lines.location))
        encoding = (self.head.encoding, self.head.duckdb_encoding)
        head = (self.head.delimiter, encoding, self.head.before)
        return (self.columns, head, self.lines.copied, packed, self.folders)


def groups_of(files: Sequence[CsvFile]) -> list[list[CsvFile]]:
    """Return the files that one call can read together, in order."""
    ordered = sorted(files, key=lambda one: (str(one.dialect), one.number))
    return [list(group) for _, group in groupby(ordered, key=lambda one: one.dialect)]


def call(files: Sequence[CsvFile], errors: str) -> str:
    """Return the SQL call that reads the files of a group."""
    one = files[0]
    return rendered(
        f"{__package__}.sql",
        "read_csv",
        files=", ".join(file_sql(file.lines.location) for file in files),
        header=str(not one.lines.copied).lower(),
        compression=quoted("gzip" if is_packed(Path(one.lines.location)) else "none"),
        skip=str(0 if one.lines.copied else one.head.before),
        delimiter=quoted(one.head.delimiter),
        columns=", ".join(f"{quoted(name)}: 'VARCHAR'" for name in read_names(one.columns)),
        errors=f"encoding = {quoted(_duckdb_encoding(one))}, {errors}",
    )


def _duckdb_encoding(file: CsvFile) -> str:
    """Return the encoding as DuckDB names it; a copy is UTF-8, and so is what was converted."""
    if file.lines.copied:
        return "utf-8"
    return file.head.duckdb_encoding or "utf-8"


def split(group: Sequence[CsvFile]) -> Iterator[list[CsvFile]]:
    """Yield the files of a group in order, in parts of about as many rows."""
    most = max(sum(file.rows for file in group) // _BRANCHES, 1)
    part: list[CsvFile] = []
    for file in group:
        if part and sum(one.rows for one in part) + file.rows > most:
            yield part
            part = []
        part.append(file)
    yield part


def branch(files: Sequence[CsvFile]) -> str:
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
        folder=folder_of([file.file for file in files]),
        call=call(files, "ignore_errors = true"),
    )


def printed(files: Sequence[CsvFile]) -> str | None:
    """Return SQL that reads the files themselves; None if none of them was copied."""
    if not any(file.lines.copied for file in files):
        return None
    originals = [
        replace(file, lines=replace(file.lines, location=_original(file), copied=False))
        for file in files
    ]
    return " UNION ALL BY NAME ".join(branch(group) for group in groups_of(originals))


def _original(file: CsvFile) -> str:
    """Return the file itself, or what it has to be converted to: no run reads `_...`."""
    location = file.file.location
    if file.head.duckdb_encoding:
        return location
    folder, slash, name = location.rpartition("/")
    return f"{folder}{slash}{_CONVERTED}{name}"


def to_convert(files: Sequence[CsvFile]) -> tuple[str, ...]:
    """Return which files DuckDB cannot decode, and what to do; one sentence for each encoding."""
    found: dict[str, list[str]] = {}
    for file in files:
        if not file.head.duckdb_encoding:
            found.setdefault(file.head.encoding, []).append(file.file.shown)
    return tuple(
        f"DuckDB cannot decode {_some(names)}, in {encoding} as this says: convert it to UTF-8 "
        f"first, to a file beside it whose name begins with {_CONVERTED}, which the SQL reads."
        for encoding, names in found.items()
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return in_one_line(", ".join(names[:_NAMED])) + more
