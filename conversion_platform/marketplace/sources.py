"""Opens a source that the settings name: files, a Postgres table, or SQL over the [inputs]."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.errors import SourceError
from conversion_platform.lake import (
    Lake,
    Session,
    first_line,
    identifier,
    quoted,
    readable_disk_errors,
    s3_files,
)
from conversion_platform.marketplace.contract import Contract, section_of
from conversion_platform.marketplace.csv_files import csv_relation
from conversion_platform.marketplace.errors import source_errors
from conversion_platform.marketplace.files import SourceFile, find_files, within
from conversion_platform.marketplace.postgres import postgres_relation
from conversion_platform.marketplace.query_tables import tables_of
from conversion_platform.marketplace.relation import (
    FOLDER,
    PROVENANCE,
    ROW,
    SOURCE,
    Broken,
    Relation,
    parquet_relation,
    staged_relation,
)
from conversion_platform.marketplace.steps import step_schema

if TYPE_CHECKING:
    from conversion_platform.days import DayRange
    from conversion_platform.settings import InputSection, Settings

PROVENANCE_NAMES = {"source_file": SOURCE, "source_row": ROW}


@contextmanager
def workspace(lake: Lake) -> Iterator[Path]:
    """Create a working folder on the local disk, and remove it afterwards."""
    with lake.storage.spill_folder() as folder, readable_disk_errors(str(folder)):
        yield folder


@contextmanager
def reader(session: Session) -> Iterator[Session]:
    """Open the session on a cursor, with the schema of the steps and no view of the caller's."""
    with session.cursor() as reading:
        if _reads_s3(session.settings) and "s3" not in reading.con.list_filesystems():
            reading.con.register_filesystem(s3_files())
        with step_schema(reading.con):
            yield reading


def open_source(
    session: Session, contract: Contract, folder: Path, days: DayRange | None = None
) -> Relation:
    """Return the relation of one of the three sources.

    Args:
        session: Settings, lake and DuckDB connection.
        contract: Which source.
        folder: Folder for staged files.
        days: Read only the `dt=` folders of these days, if the source has such folders.

    Raises:
        SourceError: the source cannot be read.
    """
    section = section_of(session.settings, contract.name)
    if section.sql is not None:
        return _query(session, section.sql, contract.setting, folder)
    return _place(session, section, contract.setting, folder, days, section.decimal)


def _place(
    session: Session,
    section: InputSection,
    setting: str,
    folder: Path,
    days: DayRange | None = None,
    decimal: str = ".",
) -> Relation:
    if section.format == "postgres":
        return postgres_relation(session.con, setting, section, folder)
    kind, files = find_files(session.settings, section, setting)
    chosen = files if days is None else _chosen(files, days)
    place = chosen[0].shown if len(chosen) == 1 else f"{setting}.path"
    if kind == "csv":
        copies = folder / setting
        copies.mkdir(exist_ok=True)
        found = csv_relation(session.con, setting, place, chosen, section, copies)
    else:
        found = parquet_relation(session.con, setting, place, chosen, decimal)
    return replace(found, last_folder=max((file.day for file in files if file.day), default=None))


def _chosen(files: list[SourceFile], days: DayRange) -> list[SourceFile]:
    """Return the files of these days; if there are none the first file, for its columns."""
    return within(files, days) or files[:1]


def _query(session: Session, sql: str, setting: str, folder: Path) -> Relation:
    """Stage the result of a SELECT over the inputs that it names."""
    broken: list[Broken] = []
    visible: dict[str, str] = {}
    to_convert: list[str] = []
    doubted: dict[str, str] = {}
    days: set[str | None] = set()
    read = tables_of(session.con, sql.strip().rstrip(";"))
    for name, section in session.settings.inputs.items():
        if read is None or name.lower() in read:
            relation = _place(session, section, f"inputs.{name}", folder)
            broken += [replace(line, setting=f"inputs.{name}") for line in relation.broken]
            to_convert += relation.to_convert
            doubted |= relation.doubted
            days.add(relation.day_column)
            session.con.execute(
                f"CREATE OR REPLACE TEMP VIEW {identifier(name)} AS {_visible(relation)}"
            )
            visible[name] = _visible(relation, printed=True)
    target = folder / f"{setting}.sql.parquet"
    _run(session, sql.strip().rstrip(";"), setting, target)
    found = staged_relation(session.con, setting, f"{setting}.sql", target)
    row = session.con.execute(f"SELECT max({FOLDER}) FROM {found.query}").fetchone()
    return replace(
        found,
        broken=tuple(broken),
        last_folder=row[0] if row else None,
        printed=_printed(sql, visible),
        day_column=next((name for name in found.columns if name in days), None),
        to_convert=tuple(to_convert),
        doubted=_not_in(sql, doubted),
    )


def _not_in(sql: str, doubted: Mapping[str, str]) -> dict[str, str]:
    """Return the names that may be cells, without those that a query says itself."""
    words = set(re.findall(r"\w+", sql))
    return {name: file for name, file in doubted.items() if name not in words}


def _printed(sql: str, inputs: Mapping[str, str]) -> str:
    """Return SQL of the result, with the inputs that it names."""
    named = ", ".join(f"{identifier(name)} AS ({query})" for name, query in inputs.items())
    head = f"WITH {named} " if named else ""
    return (
        f"{head}SELECT *, 'the result' AS {SOURCE}, CAST(NULL AS BIGINT) AS {ROW}, "
        f"row_number() OVER () AS _cp_ordinal, CAST(NULL AS DATE) AS _cp_folder "
        f"FROM ({sql.strip().rstrip(';')})"
    )


def _visible(relation: Relation, printed: bool = False) -> str:
    """Return SQL of an input with its columns, `source_file` and `source_row`."""
    extra = [
        f"{ours} AS {theirs}"
        for theirs, ours in PROVENANCE_NAMES.items()
        if theirs not in (name.lower() for name in relation.columns)
    ]
    columns = ", ".join([f"* EXCLUDE ({', '.join(PROVENANCE)})", *extra])
    query = f"({relation.printed})" if printed and relation.printed else relation.query
    return f"SELECT {columns} FROM {query}"


def _run(session: Session, sql: str, setting: str, target: Path) -> None:
    import duckdb

    try:
        described = session.con.execute(f"DESCRIBE SELECT * FROM ({sql}\n)").fetchall()
    except duckdb.Error as error:
        inputs = ", ".join(session.settings.inputs) or "none"
        raise SourceError(
            f"{setting}.sql is not a query that DuckDB can run: {first_line(error, planning=True)}",
            f"Correct {setting}.sql. Tables it can use (under [inputs]): {inputs}.",
        ) from None
    given = {name.lower() for name, *_ in described}
    file = "CAST(source_file AS VARCHAR)" if "source_file" in given else "NULL"
    row = "TRY_CAST(source_row AS BIGINT)" if "source_row" in given else "CAST(NULL AS BIGINT)"
    dropped = ", ".join(name for name in PROVENANCE_NAMES if name in given)
    select = f"* EXCLUDE ({dropped})" if dropped else "*"
    with source_errors(setting, f"{setting}.sql", of_query=True):
        session.con.execute(
            f"COPY (SELECT {select}, coalesce({file}, {quoted(f'{setting}.sql')}) AS {SOURCE}, "
            f"{row} AS {ROW} FROM ({sql}\n)) TO {quoted(str(target))} (FORMAT parquet)"
        )


def _reads_s3(settings: Settings) -> bool:
    sections = [settings.sources.users, settings.sources.jobs, settings.sources.events]
    for section in [*sections, *settings.inputs.values()]:
        paths = (section.path,) if isinstance(section.path, str) else (section.path or ())
        if any(settings.resolve(path).startswith("s3://") for path in paths):
            return True
    return False
