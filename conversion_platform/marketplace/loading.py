"""Loads the three sources into the lake: all users and jobs, and events by range of days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.errors import SourceError
from conversion_platform.lake import Session, Written, file_sql, instant, quoted
from conversion_platform.marketplace import contract as contracts
from conversion_platform.marketplace.attributes import storage_columns
from conversion_platform.marketplace.casting import row_json, value_sql
from conversion_platform.marketplace.checking import (
    COLUMN,
    DETAIL,
    JSON,
    REASON,
    Loaded,
    broken_rows,
    contract_columns,
    detail,
    numbered,
    problem,
    rejected_select,
    summary,
    values_query,
)
from conversion_platform.marketplace.contract import Contract
from conversion_platform.marketplace.errors import source_errors
from conversion_platform.marketplace.events import (
    NO_DAY,
    StagedEvents,
    rewritten_days,
    staged_events,
)
from conversion_platform.marketplace.mapping import Matched, map_columns
from conversion_platform.marketplace.relation import ORDINAL, ROW, SOURCE, Relation
from conversion_platform.marketplace.replay import extend_replay
from conversion_platform.marketplace.sources import open_source, reader, section_of, workspace
from conversion_platform.marketplace.tables import REJECTED_EVENTS_UNDATED
from conversion_platform.process import with_progress

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import Settings

REJECTED = ", ".join((SOURCE, ROW, ORDINAL, REASON, COLUMN, DETAIL, JSON))


def load_users(session: Session) -> Loaded:
    """Check the users source and replace `users` and `rejected_users`.

    A user without created_at gets the time of the first event in the events source, else
    platform.start_date.

    Raises:
        SourceError: the source cannot be read, or has no usable row.
    """
    return _load(session, contracts.USERS)


def load_jobs(session: Session) -> Loaded:
    """Check the jobs source and replace `jobs` and `rejected_jobs`.

    A job without opened_at gets the time of its first event, else platform.start_date.

    Raises:
        SourceError: the source cannot be read, or has no usable row.
    """
    return _load(session, contracts.JOBS)


def load_events(session: Session, days: DayRange) -> Loaded:
    """Check the events of a run's days and replace those partitions.

    The days before the range for which events may still arrive (`rewritten_days`) are replaced too,
    and so are the rejected rows without a day.
    A day without events gets an empty partition, and a note.

    Raises:
        NotReadyError: users or jobs have not been loaded.
        SourceError: the source cannot be read, or has no row.
    """
    with staged_events(session, days) as staged:
        good, bad = [], []
        for day in with_progress(rewritten_days(session.settings, days)):
            good.append(
                session.lake.write(session.con, contracts.EVENTS.table, staged.accepted(day), day)
            )
            bad.append(
                session.lake.write(
                    session.con, contracts.EVENTS.rejected, staged.rejected(day), day
                )
            )
        undated = session.lake.write(session.con, REJECTED_EVENTS_UNDATED, staged.rejected(NO_DAY))
        reasons, examples = summary(session.con, staged.rejected())
    if session.settings.platform.clock == "replay":
        extend_replay(session.lake, max(days.last, staged.last_day or days.last))
    accepted = sum(item.rows for item in good)
    return Loaded(
        written=[*good, *bad, undated],
        read_rows=accepted + sum(item.rows for item in (*bad, undated)),
        accepted_rows=accepted,
        rejects=reasons,
        examples=examples,
        notes=_notes(days, good, staged),
        undated_rows=undated.rows,
        source_rows=staged.read_rows,
    )


def newest_event(session: Session, until: date | None = None) -> datetime | None:
    """Return when the newest accepted event occurred (UTC), up to a day if given; None if none."""
    days = session.lake.days(contracts.EVENTS.table)
    for day in reversed([day for day in days if until is None or day <= until]):
        rows = session.lake.select(contracts.EVENTS.table, DayRange.of(day))
        found = session.con.sql(f"SELECT max(occurred_at) FROM {rows}").fetchall()[0][0]
        if found is not None:
            return datetime.fromtimestamp(found.timestamp(), UTC)
    return None


def _notes(days: DayRange, good: list[Written], staged: StagedEvents) -> tuple[str, ...]:
    empty = [item.day for item in good if item.rows == 0 and item.day in days]
    if not empty:
        return ()
    listed = ", ".join(str(day) for day in empty[:5]) + (" ..." if len(empty) > 5 else "")
    known = ""
    if staged.first_day:
        known = f" The source has events of {staged.first_day} to {staged.last_day}."
    return (f"No accepted event on {listed}.{known}",)


def _load(session: Session, contract: Contract) -> Loaded:
    with workspace(session.lake) as folder, reader(session) as reading:
        relation = open_source(reading, contract, folder)
        section = section_of(session.settings, contract)
        matched = map_columns(contract, section, relation)
        staged = _stage(reading, contract, relation, matched, folder)
        rejected = _rejected(relation, staged)
        read, accepted = _counts(reading.con, staged, len(relation.broken))
        if accepted == 0:
            raise _nothing(contract, relation, read, summary(reading.con, f"({rejected})")[0])
        firsts = _first_events(reading, contract, staged, folder)
        attributes = storage_columns(reading, contract, relation, matched, staged)
        query = _accepted(session.settings, contract, staged, firsts, attributes)
        written = [
            session.lake.write(session.con, contract.table, query),
            session.lake.write(session.con, contract.rejected, rejected),
        ]
        reasons, examples = summary(session.con, f"({rejected})")
    return Loaded(written, read, written[0].rows, reasons, examples)


def _stage(
    reading: Session,
    contract: Contract,
    relation: Relation,
    matched: Matched,
    folder: Path,
) -> str:
    """Write the accepted and rejected rows to a file; return SQL that reads it.

    Of the rows with one id the first one is kept: by file and row, then by content.
    """
    section = section_of(reading.settings, contract)
    values = values_query(contract, section, relation, matched)
    found = problem(contract, relation, matched)
    checked = (
        f"SELECT *, split_part(_cp_problem, '|', 1) AS {REASON}, "
        f"nullif(split_part(_cp_problem, '|', 2), '') AS {COLUMN} "
        f"FROM (SELECT *, {found} AS _cp_problem, {row_json(relation.columns)} AS {JSON} "
        f"FROM ({values}))"
    )
    copies = (
        f"SELECT *, row_number() OVER (PARTITION BY v_{contract.key}, _cp_problem IS NULL "
        f"ORDER BY {SOURCE}, {ROW} NULLS LAST, {JSON}, {ORDINAL}) > 1 AND _cp_problem IS NULL "
        f"AS _cp_copy FROM ({checked})"
    )
    final = (
        f"SELECT * EXCLUDE (_cp_problem, _cp_copy) REPLACE ("
        f"CASE WHEN _cp_copy THEN 'duplicate_id' ELSE {REASON} END AS {REASON}, "
        f"CASE WHEN _cp_copy THEN {quoted(contract.key)} ELSE {COLUMN} END AS {COLUMN}) "
        f"FROM ({copies})"
    )
    target = folder / f"{contract.name}.checked.parquet"
    with source_errors(contract.setting, relation.place):
        reading.con.execute(
            f"COPY (SELECT *, {detail(relation, matched)} AS {DETAIL} FROM ({final})) "
            f"TO {quoted(str(target))} (FORMAT parquet)"
        )
    return f"read_parquet({file_sql(target)}, hive_partitioning = false)"


def _rejected(relation: Relation, staged: str) -> str:
    bad = f"SELECT {REJECTED} FROM {staged} WHERE {REASON} IS NOT NULL"
    rows = numbered(bad, relation.broken)
    broken = broken_rows(relation.broken)
    return rejected_select(f"({rows} UNION ALL {broken})" if broken else f"({rows})")


def _counts(cursor: duckdb.DuckDBPyConnection, staged: str, broken: int) -> tuple[int, int]:
    row = cursor.execute(
        f"SELECT count(*), count(*) FILTER ({REASON} IS NULL) FROM {staged}"
    ).fetchone()
    assert row is not None
    return int(row[0]) + broken, int(row[1])


def _nothing(
    contract: Contract, relation: Relation, read: int, reasons: dict[str, int]
) -> SourceError:
    if read == 0:
        return SourceError(
            f"{contract.setting}: {relation.place} has no row: no {contract.name} exist.",
            f"Export the table again, or correct {contract.setting}.",
        )
    listed = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
    return SourceError(
        f"{contract.setting}: every row of {relation.place} was rejected ({listed}): no "
        f"{contract.name} exist.",
        f"Correct {contract.setting}.columns; `conversion-platform check-sources` shows an "
        "example of each reason.",
    )


def _first_events(reading: Session, contract: Contract, staged: str, folder: Path) -> str | None:
    """Return SQL of (id, first_at) from the events source; None if every row has a start."""
    lacking = reading.con.execute(
        f"SELECT 1 FROM {staged} WHERE {REASON} IS NULL AND v_{contract.start} IS NULL LIMIT 1"
    ).fetchone()
    if lacking is None:
        return None
    events = open_source(reading, contracts.EVENTS, folder)
    section = reading.settings.sources.events
    matched = map_columns(contracts.EVENTS, section, events)
    ids, times = (
        value_sql(
            item,
            matched.contract[item.name],
            events.columns[matched.contract[item.name]],
            section.time_zone,
        )
        for item in contracts.EVENTS.fields
        if item.name in (contract.key, "occurred_at")
    )
    target = folder / f"{contract.name}.first.parquet"
    with source_errors(contracts.EVENTS.setting, events.place):
        reading.con.execute(
            f"COPY (SELECT {ids} AS id, min({times}) AS first_at FROM {events.query} GROUP BY 1) "
            f"TO {quoted(str(target))} (FORMAT parquet)"
        )
    return f"read_parquet({file_sql(target)}, hive_partitioning = false)"


def _accepted(
    settings: Settings,
    contract: Contract,
    staged: str,
    firsts: str | None,
    attributes: list[str],
) -> str:
    """Return SQL of the checked table, with missing starts filled in."""
    start, end = contract.start, contract.end
    columns = ", ".join([*contract_columns(contract), *attributes])
    good = f"SELECT * FROM {staged} WHERE {REASON} IS NULL"
    if firsts is not None:
        opening = instant(settings.platform.start_date, settings.platform.time_zone)
        good = (
            f"SELECT g.* REPLACE (coalesce(g.v_{start}, "
            f"least(coalesce(f.first_at, {opening}), g.v_{end})) AS v_{start}) "
            f"FROM ({good}) AS g LEFT JOIN {firsts} AS f ON f.id = g.v_{contract.key}"
        )
    return f"SELECT {columns} FROM ({good})"
