"""A source as one relation: its columns, and the origin of every row.

Parquet is read in place. CSV, Postgres and the results of SQL are first written to Parquet in a
working folder, so that every later pass is cheap, and rows keep their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.lake import file_sql, quoted
from conversion_platform.marketplace.errors import source_errors
from conversion_platform.marketplace.files import SourceFile

if TYPE_CHECKING:
    import duckdb

SOURCE, ROW, ORDINAL, FOLDER = "_cp_source", "_cp_row", "_cp_ordinal", "_cp_folder"
PROVENANCE = (SOURCE, ROW, ORDINAL, FOLDER)


@dataclass(frozen=True)
class Broken:
    """A record of a CSV file that is not a row.

    Attributes:
        source: The file.
        number: Its number among the file's records, 1 = the first after the header.
        detail: What is wrong with it.
        text: The record as it is in the file.
    """

    source: str
    number: int
    detail: str
    text: str


@dataclass(frozen=True)
class Relation:
    """A source, ready to be queried.

    Attributes:
        setting: The settings section it comes from, for messages.
        place: Its name in messages that name no file.
        query: Parenthesised SQL: the source's columns, then `PROVENANCE` (name of the file, row
            in it (NULL where rows have no order; `broken` not counted, see `numbered`), a number
            that is unique within the source, day of the `dt=` folder).
        columns: Source columns and their DuckDB types.
        broken: Lines that could not be split into columns.
        last_folder: Newest day among the `dt=` folders, those that are not read among them.
    """

    setting: str
    place: str
    query: str
    columns: dict[str, str]
    broken: tuple[Broken, ...] = ()
    last_folder: date | None = None


def identifier(name: str) -> str:
    """Return a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def parquet_relation(
    con: duckdb.DuckDBPyConnection, setting: str, place: str, files: Sequence[SourceFile]
) -> Relation:
    """Return the relation of Parquet files, whose schemas may differ from file to file.

    A column whose type differs between files is cast to text in each: a common numeric type would
    lose digits of 64-bit ids.
    """
    with source_errors(setting, place):
        groups = _by_schema(con, files)
        schemas = [_columns(con, _read(group)) for group in groups]
        mixed = _mixed_columns(schemas)
        parts = [
            _select(group, schema, mixed) for group, schema in zip(groups, schemas, strict=True)
        ]
        query = "(" + " UNION ALL BY NAME ".join(parts) + ")"
        columns = _columns(con, query)
    return Relation(
        setting,
        place,
        query,
        {name: kind for name, kind in columns.items() if name not in PROVENANCE},
    )


def staged_relation(
    con: duckdb.DuckDBPyConnection,
    setting: str,
    place: str,
    files: Sequence[Path],
    broken: Sequence[Broken] = (),
) -> Relation:
    """Return the relation of files that this package staged, which contain `SOURCE`.

    If they have no `ROW`, it is the row's number in its file.
    """
    listed = ", ".join(map(file_sql, files))
    read = f"read_parquet([{listed}], union_by_name = true, file_row_number = true)"
    with source_errors(setting, place):
        columns = _columns(con, read)
        number = ROW if ROW in columns else "file_row_number + 1"
        query = (
            f"(SELECT * EXCLUDE ({', '.join(c for c in (SOURCE, ROW) if c in columns)}, "
            f"file_row_number), {SOURCE}, {number} AS {ROW}, file_row_number AS {ORDINAL}, "
            f"{folder_day(SOURCE)} AS {FOLDER} FROM {read})"
        )
        columns = _columns(con, query)
    return Relation(
        setting,
        place,
        query,
        {name: kind for name, kind in columns.items() if name not in PROVENANCE},
        tuple(broken),
    )


def folder_day(source: str) -> str:
    """Return SQL for the day of the `dt=` folder in a file's name."""
    day = f"regexp_extract({source}, '(?:^|/)dt=([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/', 1)"
    return f"TRY_CAST(nullif({day}, '') AS DATE)"


def as_text(column: str, kind: str) -> str:
    """Return SQL for a value as text; a whole number that is a double loses its `.0`."""
    name = identifier(column)
    if kind in ("DOUBLE", "FLOAT"):
        return (
            f"CASE WHEN isnan({name}) THEN NULL "
            f"WHEN isfinite({name}) AND {name} = trunc({name}) AND abs({name}) < 1e18 "
            f"THEN CAST(CAST({name} AS BIGINT) AS VARCHAR) ELSE CAST({name} AS VARCHAR) END"
        )
    if kind.startswith("DECIMAL"):
        return rf"regexp_replace(CAST({name} AS VARCHAR), '\.0+$', '')"
    if kind == "VARCHAR[]":
        return f"array_to_string({name}, '|')"
    return f"CAST({name} AS VARCHAR)"


def _by_schema(
    con: duckdb.DuckDBPyConnection, files: Sequence[SourceFile]
) -> list[list[SourceFile]]:
    """Return the files grouped by columns and types, in order."""
    if len(files) == 1:
        return [list(files)]
    rows = con.execute(
        "SELECT file_name, list((name, duckdb_type, num_children) ORDER BY column_id) "
        f"FROM parquet_schema([{_listed(files)}]) GROUP BY file_name"
    ).fetchall()
    schema = {name: str(columns) for name, columns in rows}
    groups: dict[str, list[SourceFile]] = {}
    for file in files:
        groups.setdefault(schema[file.location], []).append(file)
    return list(groups.values())


def _listed(files: Sequence[SourceFile]) -> str:
    return ", ".join(file_sql(file.location) for file in files)


def _read(files: Sequence[SourceFile]) -> str:
    hive = "true, hive_types_autocast = false" if any(f.partitions for f in files) else "false"
    return (
        f"read_parquet([{_listed(files)}], filename = '{SOURCE}', file_row_number = true, "
        f"hive_partitioning = {hive})"
    )


def _columns(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    rows = con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return {name: kind for name, kind, *_ in rows}


def _mixed_columns(schemas: Sequence[dict[str, str]]) -> set[str]:
    kinds: dict[str, set[str]] = {}
    for schema in schemas:
        for name, kind in schema.items():
            kinds.setdefault(name, set()).add(kind)
    return {name for name, found in kinds.items() if len(found) > 1}


def _select(files: Sequence[SourceFile], schema: dict[str, str], mixed: set[str]) -> str:
    own = [name for name in schema if name not in (SOURCE, "file_row_number")]
    columns = [
        f"{as_text(name, schema[name])} AS {identifier(name)}"
        if name in mixed
        else identifier(name)
        for name in own
    ]
    shown = _shown(files)
    return (
        f"SELECT {', '.join(columns)}, {shown} AS {SOURCE}, file_row_number + 1 AS {ROW}, "
        f"file_row_number AS {ORDINAL}, {folder_day(SOURCE)} AS {FOLDER} FROM {_read(files)}"
    )


def _shown(files: Sequence[SourceFile]) -> str:
    """Return SQL for a file's shown name: rejects must not depend on the project's location."""
    for file in files:
        cut = len(file.location) - len(file.shown)
        if cut:
            below = f"starts_with({SOURCE}, {quoted(file.location[:cut])})"
            return f"CASE WHEN {below} THEN {SOURCE}[{cut + 1}:] ELSE {SOURCE} END"
    return SOURCE
