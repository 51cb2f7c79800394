"""A source as one relation: its columns, and the origin of every row.

Parquet and CSV are read in place. Postgres tables and the results of SQL are first written to
Parquet in a working folder.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.lake import file_sql, identifier, quoted, rendered
from conversion_platform.marketplace.errors import source_errors
from conversion_platform.marketplace.files import FOLDER_DAY, SourceFile
from conversion_platform.marketplace.headers import Headers

if TYPE_CHECKING:
    import duckdb

SOURCE, ROW, ORDINAL, FOLDER = "_cp_source", "_cp_row", "_cp_ordinal", "_cp_folder"
PROVENANCE = (SOURCE, ROW, ORDINAL, FOLDER)
EXACT = {"DOUBLE": 2**53, "FLOAT": 2**24}  # whole numbers from here on may have lost digits
# Columns that DuckDB adds to those of a file, unless the file has one of that name.
_ADDED = ("file_index", "file_row_number", "filename")


@dataclass(frozen=True)
class Broken:
    """A record of a CSV file that is not a row.

    Attributes:
        source: The file.
        number: Its number among the file's records, 1 = the first after the header.
        detail: What is wrong with it.
        text: The record as it is in the file.
        not_in: The encoding that it is not in; None if something else is wrong with it.
        bad: Its bytes that are not of that encoding.
        setting: The settings section of the input that it comes from; None if it is the source's.
    """

    source: str
    number: int
    detail: str
    text: str
    not_in: str | None = None
    bad: bytes = b""
    setting: str | None = None


@dataclass(frozen=True)
class Relation:
    """A source, ready to be queried.

    Attributes:
        setting: The settings section it comes from, for messages.
        place: Its name in messages that name no file.
        query: Parenthesised SQL: the source's columns, then `PROVENANCE` (name of the file, row
            in it (NULL where rows have no order; `broken` not counted, see `numbered`), a number
            that is unique within the source, day of the `dt=` folder).
        columns: Source columns, by their names in SQL, and their DuckDB types.
        names: Name in SQL -> name in the source: SQL ignores the case, so one of `id` and `ID` has
            another.
        broken: Lines that could not be split into columns.
        aliases: For each column the names that it has in the headers of the files.
        lacking: For each column that one of the files lacks, the first such file.
        trimmed: Columns whose cells are known to have no blank around them.
        repeats_header: Whether a row can be a header in the middle (of files put together).
        last_folder: Newest day among the `dt=` folders, those that are not read among them.
        rows: Number of its rows, where it is known already.
        printed: SQL that is printed in place of `query`, where that reads a working copy.
        day_column: The column that the `dt=` folders say, where no file has one of that name: the
            day of a folder is no attribute; the settings can map it.
        to_convert: What has to be done before `printed` can be read, one sentence each.
        wider_line: Number of a line of the first CSV file that has more fields than its header.
        doubted: Names in the source that may be the cells of a row, each with its CSV file: no
            message shows them.
    """

    setting: str
    place: str
    query: str
    columns: Mapping[str, str]
    names: Mapping[str, str]
    broken: tuple[Broken, ...] = ()
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lacking: Mapping[str, str] = field(default_factory=dict)
    trimmed: frozenset[str] = frozenset()
    repeats_header: bool = False
    last_folder: date | None = None
    rows: int | None = None
    printed: str | None = None
    day_column: str | None = None
    to_convert: tuple[str, ...] = ()
    wider_line: int | None = None
    doubted: Mapping[str, str] = field(default_factory=dict)


def relation_of(
    con: duckdb.DuckDBPyConnection, setting: str, place: str, query: str, names: Mapping[str, str]
) -> Relation:
    """Return the relation of a query that yields the source's columns and `PROVENANCE`.

    Args:
        con: Where the query is described.
        setting: The settings section, for messages.
        place: Name of the source, for messages.
        query: The query.
        names: Name in SQL -> name in the source, in the order in which the files name them.
    """
    kinds = _columns(con, f"({query})")
    ordered = [*(name for name in names if name in kinds), *kinds]
    columns = {name: kinds[name] for name in ordered if name not in PROVENANCE}
    return Relation(
        setting, place, f"({query})", columns, {name: names.get(name, name) for name in columns}
    )


def parquet_relation(
    con: duckdb.DuckDBPyConnection,
    setting: str,
    place: str,
    files: Sequence[SourceFile],
    decimal: str = ".",
) -> Relation:
    """Return the relation of Parquet files, whose schemas may differ from file to file.

    A column whose type differs between files is cast to text in each: a common numeric type would
    lose digits of 64-bit ids. Numbers get the source's decimal mark then. Bytes are text.
    """
    headers = Headers(setting)
    with source_errors(setting, place):
        groups = _by_schema(con, files)
        schemas = [_schema(con, group, headers) for group in groups]
        mixed = _mixed_columns([schema.types for schema in schemas])
        before = [sum(map(len, groups[:place])) for place in range(len(groups))]
        parts = [
            _parquet_rows(group, schema, mixed, first, decimal)
            for group, schema, first in zip(groups, schemas, before, strict=True)
        ]
        found = relation_of(con, setting, place, " UNION ALL BY NAME ".join(parts), headers.names)
    own = {
        group[0].shown: tuple(schema.types) for group, schema in zip(groups, schemas, strict=True)
    }
    folders = [pair for schema in schemas for pair in schema.folders]
    day = day_column(folders, set().union(*(schema.own for schema in schemas)))
    return replace(found, lacking=headers.lacking(own), day_column=day)


def staged_relation(
    con: duckdb.DuckDBPyConnection, setting: str, place: str, file: Path
) -> Relation:
    """Return the relation of a file that this package staged, which contains `SOURCE`.

    If it has no `ROW`, it is the row's number in the file.
    """
    with source_errors(setting, place):
        columns = _columns(con, f"read_parquet({file_sql(file)}, hive_partitioning = false)")
        query = rendered(
            f"{__package__}.sql",
            "staged_rows",
            columns=", ".join(given_names([c for c in columns if c not in (SOURCE, ROW)])),
            number=ROW if ROW in columns else "_cp_read.file_row_number + 1",
            names=", ".join(map(identifier, read_names(columns))),
            folder=folder_day(SOURCE),
            file=file_sql(file),
        )
        return relation_of(con, setting, place, query, {})


def read_names(names: Iterable[str]) -> list[str]:
    """Return what the columns of a file are called as it is read.

    A column with the name of one that DuckDB adds would take its place.
    """
    return [f"_cp_{name}" if name.lower() in _ADDED else name for name in names]


def given_names(names: Sequence[str]) -> list[str]:
    """Return SQL of the columns of a file under their own names."""
    return [
        identifier(name) if read == name else f"{identifier(read)} AS {identifier(name)}"
        for name, read in zip(names, read_names(names), strict=True)
    ]


def folder_day(source: str) -> str:
    """Return SQL for the day of the `dt=` folder in a file's name, as `SourceFile.day` says it."""
    pattern = quoted(FOLDER_DAY)
    found = f"regexp_extract({source}, {pattern})"
    return rf"TRY_CAST(regexp_replace({found}, {pattern}, '\1-\2-\3') AS DATE)"


def folder_of(files: Sequence[SourceFile]) -> str:
    """Return SQL for the day of each file's `dt=` folder, given the file's index."""
    return of_file([file.day.isoformat() if file.day else None for file in files], "DATE")


def as_text(name: str, kind: str) -> str:
    """Return SQL for a value as text; a whole number that is a double loses its `.0`.

    Args:
        name: SQL of the value.
        kind: Its DuckDB type. A list is joined by `|`; bytes are text where they are UTF-8.
    """
    if kind in ("DOUBLE", "FLOAT"):
        return (
            f"CASE WHEN isnan({name}) THEN NULL "
            f"WHEN isfinite({name}) AND {name} = trunc({name}) AND abs({name}) < 1e18 "
            f"THEN CAST(CAST({name} AS BIGINT) AS VARCHAR) ELSE CAST({name} AS VARCHAR) END"
        )
    if kind.startswith("DECIMAL") and not kind.endswith("]"):
        return rf"regexp_replace(CAST({name} AS VARCHAR), '\.0+$', '')"
    if kind == "BLOB":
        return f"coalesce(TRY(decode({name})), CAST({name} AS VARCHAR))"
    if kind.endswith("[]"):
        item = f"replace({as_text('item', kind.removesuffix('[]'))}, '|', '/')"
        joined = f"array_to_string(list_transform({name}, lambda item: {item}), '|')"
        return f"nullif({joined}, '')"
    return f"CAST({name} AS VARCHAR)"


@dataclass(frozen=True)
class _Schema:
    """Types by name in SQL, and SQL of the columns, of the files of one group.

    Attributes:
        types: Name in SQL -> DuckDB type.
        given: SQL of each of them.
        read: Names under which the files' own columns are read.
        folders: Names of the columns that their folders say, each with its name in SQL.
    """

    types: dict[str, str]
    given: list[str]
    read: list[str]
    folders: list[tuple[str, str]]

    @property
    def own(self) -> set[str]:
        """Names in SQL of the columns of the files themselves."""
        return set(self.types) - {name for _, name in self.folders}


def _schema(
    con: duckdb.DuckDBPyConnection, files: Sequence[SourceFile], headers: Headers
) -> _Schema:
    own = _columns(con, f"read_parquet([{_listed(files[:1])}], hive_partitioning = false)")
    header = _top_level(con, files[0])
    folders = folder_names(files[0], header)
    names = headers.columns([*header, *folders])
    types = [*own.values(), *("VARCHAR" for _ in folders)]
    said = [of_file([file.partitions[name] for file in files]) for name in folders]
    read = read_names(own)
    given = [*map(identifier, read), *said]
    pairs = list(zip(folders, names[len(header) :], strict=True))
    return _Schema(dict(zip(names, types, strict=True)), given, read, pairs)


def _top_level(con: duckdb.DuckDBPyConnection, file: SourceFile) -> list[str]:
    """Return the names of a file's columns as they are written there, without nested ones."""
    rows = con.execute(
        f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({file_sql(file.location)}) "
        "ORDER BY column_id"
    ).fetchall()
    names, inside = [], 0
    for name, children in rows[1:]:
        if inside == 0:
            names.append(name)
        inside += int(children) - (inside > 0)
    return names


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
    groups: dict[tuple[str, ...], list[SourceFile]] = {}
    for file in files:
        groups.setdefault((schema[file.location], *file.partitions), []).append(file)
    return list(groups.values())


def _listed(files: Sequence[SourceFile]) -> str:
    return ", ".join(file_sql(file.location) for file in files)


def folder_names(file: SourceFile, own: Sequence[str]) -> list[str]:
    """Return the names of the columns that a file's folders say, and the file itself does not.

    Args:
        file: The file.
        own: Names of its own columns.
    """
    known = {name.strip().lower() for name in own}
    return [name for name in file.partitions if name.lower() not in known]


def day_column(folders: Iterable[tuple[str, str]], own: Collection[str]) -> str | None:
    """Return the name in SQL of the column that `dt=` folders say; None if a file has it itself.

    Args:
        folders: Names of the columns that folders say, each with its name in SQL.
        own: Names in SQL of the columns of files.
    """
    return next((sql for name, sql in folders if name == "dt" and sql not in own), None)


def of_file(values: Sequence[str | None], kind: str = "VARCHAR") -> str:
    """Return SQL for a value that each file has, given the file's index."""
    texts = ["NULL" if value is None else quoted(value) for value in values]
    if len(set(values)) == 1:
        return f"CAST({texts[0]} AS {kind})"
    return f"CAST([{', '.join(texts)}] AS {kind}[])[CAST(_cp_read.file_index AS BIGINT) + 1]"


def _columns(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    rows = con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return {name: kind for name, kind, *_ in rows}


def _mixed_columns(schemas: Sequence[Mapping[str, str]]) -> set[str]:
    kinds: dict[str, set[str]] = {}
    for schema in schemas:
        for name, kind in schema.items():
            kinds.setdefault(name, set()).add(kind)
    return {name for name, found in kinds.items() if len(found) > 1}


def _parquet_rows(
    files: Sequence[SourceFile], schema: _Schema, mixed: set[str], before: int, decimal: str
) -> str:
    """Return SQL of the rows of files of one schema, of which `before` others come first."""
    columns = [
        f"{_column(given, kind, name in mixed, decimal)} AS {identifier(name)}"
        for given, (name, kind) in zip(schema.given, schema.types.items(), strict=True)
    ]
    return rendered(
        f"{__package__}.sql",
        "parquet_rows",
        columns=", ".join(columns),
        source=_shown(files),
        before=before,
        folder=folder_of(files),
        files=_listed(files),
        names=", ".join(map(identifier, (*schema.read, SOURCE))),
    )


def _column(given: str, kind: str, mixed: bool, decimal: str) -> str:
    """Return SQL of a column: as it is, or as text where files differ or it is bytes."""
    if mixed and kind.startswith((*EXACT, "DECIMAL")):
        text = f"replace({as_text(given, kind)}, '.', {quoted(decimal)})"
        if kind not in EXACT:
            return text
        # With an exponent: an id that lost digits shall not look like one that did not.
        large = f"abs({given}) >= {EXACT[kind]} AND isfinite({given})"
        return f"CASE WHEN {large} THEN format('{{:.16e}}', {given}) ELSE {text} END"
    if mixed or kind == "BLOB":
        return as_text(given, kind)
    if kind == "BLOB[]":
        return f"list_transform({given}, lambda item: {as_text('item', 'BLOB')})"
    return given


def _shown(files: Sequence[SourceFile]) -> str:
    """Return SQL for a file's shown name: rejects must not depend on the project's location."""
    for file in files:
        cut = len(file.location) - len(file.shown)
        if cut:
            below = f"starts_with({SOURCE}, {quoted(file.location[:cut])})"
            return f"CASE WHEN {below} THEN {SOURCE}[{cut + 1}:] ELSE {SOURCE} END"
    return SOURCE
