"""Stages checked events in a working folder by day: two passes, constant memory.

The first pass finds ids that may be duplicates; the second casts, checks, and writes every row of
the range to the folder of its day. `loading.py` then publishes each day.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.errors import SourceError
from conversion_platform.lake import Session, escape_glob, file_sql, quoted
from conversion_platform.marketplace import contract as contracts
from conversion_platform.marketplace.casting import (
    FIRST_TIME,
    LAST_TIME,
    content_hash,
    content_of,
    row_json,
)
from conversion_platform.marketplace.checking import (
    COLUMN,
    DETAIL,
    JSON,
    REASON,
    broken_rows,
    contract_columns,
    detail,
    numbered,
    problem,
    rejected_select,
    values_query,
)
from conversion_platform.marketplace.errors import source_errors
from conversion_platform.marketplace.mapping import Matched, map_columns
from conversion_platform.marketplace.relation import (
    FOLDER,
    ORDINAL,
    ROW,
    SOURCE,
    Relation,
    folder_day,
)
from conversion_platform.marketplace.sources import open_source, reader, workspace
from conversion_platform.marketplace.tables import JOBS, USERS

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import Settings

EVENTS = contracts.EVENTS
DAY = "_cp_dt"  # the source may have a column named dt
NO_DAY = date.min  # the partition of staged rows without a day
_KEPT = ", ".join((SOURCE, ROW, ORDINAL, REASON, COLUMN, DETAIL, JSON))


@dataclass(frozen=True)
class StagedEvents:
    """Checked events in the working folder.

    Attributes:
        folder: Files by `dt=`; rows without a day are under `NO_DAY`.
        read_rows: Rows and broken lines that were read, of any day.
        flagged: SQL of the rows that were rejected or might have been: few, with all columns.
        broken: SQL of broken lines, with `dt`; None if no line is broken.
        first_day: First local day of what was read; known only if nothing was staged, or with
            the replay clock.
        last_day: Its last day, or that of its newest folder.
    """

    folder: Path
    read_rows: int
    flagged: str
    broken: str | None
    first_day: date | None = None
    last_day: date | None = None

    def accepted(self, day: date | None = None) -> str:
        """Return SQL of the rows of `events` on a day (if None, all days, with `dt`)."""
        names = ", ".join(column.name for column in EVENTS.table.columns)
        columns = names if day else f"{names}, dt"
        return (
            f"(SELECT {columns} FROM {staged_rows(self.folder, day)} WHERE {JSON} IS NULL "
            f"UNION ALL SELECT {columns} FROM {self.flagged} "
            f"WHERE {REASON} IS NULL{_on(day)})"
        )

    def rejected(self, day: date | None = None) -> str:
        """Return SQL of the rows of `rejected_events` on a day (if None, all days, with `dt`)."""
        rows = f"SELECT {_KEPT}, dt FROM {self.flagged} WHERE {REASON} IS NOT NULL"
        if self.broken:
            rows = f"{rows} UNION ALL SELECT {_KEPT}, dt FROM ({self.broken})"
        columns = "* EXCLUDE (dt)" if day else "*"
        wanted = f"(SELECT * FROM ({rows}) WHERE true{_on(day)})"
        return f"(SELECT {columns} FROM ({rejected_select(wanted)}))"


def staged_rows(folder: Path, day: date | None = None) -> str:
    """Return SQL over the staged rows of a day, or of all days."""
    part = f"dt={day.isoformat()}" if day else "dt=*"
    if not any(folder.glob(f"{part}/*.parquet")):
        return f"read_parquet({file_sql(folder / 'form.parquet')})"
    files = quoted(f"{escape_glob(str(folder))}/{part}/*.parquet")
    return f"read_parquet({files}, hive_partitioning = true, hive_types = {{'dt': DATE}})"


def _on(day: date | None) -> str:
    return f" AND dt = DATE '{day.isoformat()}'" if day else ""


def rewritten_days(settings: Settings, days: DayRange) -> DayRange:
    """Return the days whose events a run for `days` writes again.

    A run takes place in the morning: the next run reads the events that are recorded later on its
    last day. An event recorded on the last of its `events.late_days` is thus read one day later.
    """
    return days.widened(before=settings.events.late_days + 1)


def _folders(settings: Settings, days: DayRange | None) -> DayRange | None:
    """Return the days of the `dt=` folders that can hold events of a run's days.

    A source may name its folders by the day of the event or by the day on which it was recorded.
    """
    if days is None:
        return None
    return rewritten_days(settings, days).widened(before=1, after=settings.events.late_days)


@contextmanager
def staged_events(session: Session, days: DayRange | None) -> Iterator[StagedEvents]:
    """Stage the checked events of a range of days (of all days if None) in a working folder.

    `days` are those of the run: all days that it rewrites (`rewritten_days`) are staged.

    Raises:
        NotReadyError: users or jobs have not been loaded.
        SourceError: the source cannot be read, or has no row.
    """
    session.lake.require(USERS)
    session.lake.require(JOBS)
    with workspace(session.lake) as folder, reader(session) as reading:
        relation = open_source(reading, EVENTS, folder, _folders(session.settings, days))
        matched = map_columns(EVENTS, session.settings.sources.events, relation)
        target = folder / "days"
        with source_errors(EVENTS.setting, relation.place):
            _stage(reading, relation, matched, days, target)
            flagged = _resolve(reading.con, relation, target, folder)
            read = _read_rows(reading.con, relation)
            ends = _ends(reading, relation, matched, target)
        broken = _broken(relation, session.settings, days)
        yield StagedEvents(target, read, flagged, broken, *ends)


def _stage(
    session: Session,
    relation: Relation,
    matched: Matched,
    days: DayRange | None,
    target: Path,
) -> None:
    target.mkdir()
    assigned = _assigned(session, relation, matched, days)
    key = f"hash({_event_id(relation, matched, 'hash')})"
    session.con.execute("DROP TABLE IF EXISTS _cp_twice")
    session.con.execute(
        f"CREATE TEMP TABLE _cp_twice AS SELECT {key} AS h FROM ({assigned}) "
        f"WHERE {DAY} IS NOT NULL GROUP BY h HAVING count(*) > 1"
    )
    flagged = f"({REASON} IS NOT NULL OR {key} IN (SELECT h FROM _cp_twice))"
    rows = (
        f"SELECT * REPLACE (CASE WHEN _cp_flag THEN {SOURCE} END AS {SOURCE}, "
        f"CASE WHEN _cp_flag THEN {ROW} END AS {ROW}, "
        f"CASE WHEN _cp_flag THEN {ORDINAL} END AS {ORDINAL}, "
        f"coalesce(v_recorded_at, v_occurred_at) AS v_recorded_at, "
        f"{_event_id(relation, matched, 'text')} AS v_event_id), "
        f"CASE WHEN _cp_flag THEN {row_json(relation.columns)} END AS {JSON}, "
        f"{detail(relation, matched)} AS {DETAIL} "
        f"FROM (SELECT *, {flagged} AS _cp_flag FROM ({assigned}) WHERE {DAY} IS NOT NULL)"
    )
    select = f"SELECT {', '.join(contract_columns(EVENTS))}, {_KEPT}, {DAY} AS dt FROM ({rows})"
    form = quoted(str(target / "form.parquet"))
    session.con.execute(f"COPY (SELECT * FROM ({select}) LIMIT 0) TO {form} (FORMAT parquet)")
    session.con.execute(
        f"COPY ({select}) TO {quoted(str(target))} "
        "(FORMAT parquet, PARTITION_BY (dt), OVERWRITE_OR_IGNORE)"
    )


def _event_id(relation: Relation, matched: Matched, form: str) -> str:
    """Return SQL for the event's id: the source's, else a hash of the row's content.

    The hash uses the values of contract columns, so that another notation of the same time or
    number is the same event, and the text of further columns.

    Args:
        relation: The source.
        matched: Its columns.
        form: `text` for the id itself, `hash` for an expression that is equal for equal ids.
    """
    content = content_of(EVENTS.fields, matched.contract, relation.columns, without=EVENTS.key)
    if EVENTS.key in matched.contract:
        return f"coalesce(v_event_id, {content_hash(content)})"
    return content_hash(content) if form == "text" else ", ".join(content)


def _assigned(session: Session, relation: Relation, matched: Matched, days: DayRange | None) -> str:
    """Return SQL of all source rows with values, reason, column and partition (`DAY`).

    The day is NULL for rows that another run writes.
    """
    types = session.settings.events
    named = (*types.impression_types, *types.click_types, *types.conversion_types)
    unknown = [
        f"CASE WHEN v_user_id NOT IN (SELECT user_id FROM {session.lake.select(USERS)}) "
        "THEN 'unknown_user|user_id' END",
        f"CASE WHEN v_job_id NOT IN (SELECT job_id FROM {session.lake.select(JOBS)}) "
        "THEN 'unknown_job|job_id' END",
    ]
    found = problem(EVENTS, relation, matched, named, unknown)
    values = values_query(EVENTS, session.settings.sources.events, relation, matched)
    zone = session.settings.platform.time_zone
    timed = (
        f"SELECT *, {found} AS _cp_found, {_local_day('v_occurred_at', zone)} AS _cp_day, "
        f"{_local_day('v_recorded_at', zone)} AS _cp_recorded FROM ({values})"
    )
    placed = f"SELECT *, {_placing(session.settings, days)} AS _cp_placing FROM ({timed})"
    problem_here = "coalesce(_cp_found, nullif(_cp_placing.problem, ''))"
    return (
        f"SELECT * EXCLUDE (_cp_found, _cp_placing, _cp_day, _cp_recorded), "
        f"_cp_placing.dt AS {DAY}, "
        f"nullif(split_part({problem_here}, '|', 1), '') AS {REASON}, "
        f"nullif(split_part({problem_here}, '|', 2), '') AS {COLUMN} FROM ({placed})"
    )


def _local_day(time: str, zone: str) -> str:
    """Return SQL for the calendar day of a time; NULL outside of the allowed times."""
    usable = f"{time} >= {FIRST_TIME} AND {time} < {LAST_TIME}"
    return f"CASE WHEN {usable} THEN CAST(timezone({quoted(zone)}, {time}) AS DATE) END"


def _placing(settings: Settings, days: DayRange | None) -> str:
    """Return SQL for a struct (dt, problem) with the partition to which a row belongs.

    - Without a usable time: its folder's day, else the day it was recorded, else `NO_DAY`. None of
      them depends on the run.
    - In a folder more than a day before its own day: rejected with that folder's day.
    - More than the late days after its own day: rejected on the day of its arrival. This does not
      depend on the run, so a rebuild accepts and rejects the same rows as the daily runs.
    """
    came = f"greatest({FOLDER}, _cp_recorded)"
    placed = (
        f"CASE WHEN _cp_day IS NULL THEN "
        f"{{'dt': coalesce({FOLDER}, _cp_recorded, DATE '{NO_DAY}'), 'problem': ''}} "
        f"WHEN _cp_day > {FOLDER} + 1 THEN "
        f"{{'dt': {FOLDER}, 'problem': 'wrong_folder|occurred_at'}} "
        f"WHEN {came} > _cp_day + {settings.events.late_days} THEN "
        f"{{'dt': {came}, 'problem': 'too_late|occurred_at'}} "
        f"ELSE {{'dt': _cp_day, 'problem': ''}} END"
    )
    if days is None:
        return placed
    return f"CASE WHEN {_of_run(f'({placed}).dt', settings, days)} THEN {placed} END"


def _of_run(day: str, settings: Settings, days: DayRange) -> str:
    """Return a SQL condition: a run for `days` writes the rows of this day."""
    window = rewritten_days(settings, days)
    return (
        f"({day} BETWEEN DATE '{window.first}' AND DATE '{window.last}' OR {day} = DATE '{NO_DAY}')"
    )


def _resolve(
    cursor: duckdb.DuckDBPyConnection, relation: Relation, target: Path, folder: Path
) -> str:
    """Reject duplicates, and return SQL of all rows that were flagged.

    Of the rows with one id the one recorded first is kept. A row that is rejected for another
    reason is not a duplicate.
    """
    file = folder / "flagged.parquet"
    order = f"recorded_at, occurred_at, {SOURCE}, {ROW} NULLS LAST, {JSON}, {ORDINAL}"
    copies = (
        f"SELECT *, {REASON} IS NULL AND row_number() OVER (PARTITION BY event_id, "
        f"{REASON} IS NULL ORDER BY {order}) > 1 AS _cp_copy "
        f"FROM {staged_rows(target)} WHERE {JSON} IS NOT NULL"
    )
    copies = numbered(copies, relation.broken)
    cursor.execute(
        f"COPY (SELECT * EXCLUDE (_cp_copy) REPLACE ("
        f"CASE WHEN _cp_copy THEN 'duplicate_id' ELSE {REASON} END AS {REASON}, "
        f"CASE WHEN _cp_copy THEN 'event_id' ELSE {COLUMN} END AS {COLUMN}, "
        f"CASE WHEN _cp_copy THEN event_id ELSE {DETAIL} END AS {DETAIL}) "
        f"FROM ({copies})) TO {quoted(str(file))} (FORMAT parquet)"
    )
    return f"read_parquet({file_sql(file)}, hive_partitioning = false)"


def _broken(relation: Relation, settings: Settings, days: DayRange | None) -> str | None:
    """Return SQL of broken lines on the day of their folder, else on `NO_DAY`."""
    rows = broken_rows(relation.broken)
    if rows is None:
        return None
    query = f"SELECT *, coalesce({folder_day(SOURCE)}, DATE '{NO_DAY}') AS dt FROM ({rows})"
    if days is None:
        return query
    return f"SELECT * FROM ({query}) WHERE {_of_run('dt', settings, days)}"


def _read_rows(cursor: duckdb.DuckDBPyConnection, relation: Relation) -> int:
    row = cursor.execute(f"SELECT count(*) FROM {relation.query}").fetchone()
    assert row is not None
    return int(row[0]) + len(relation.broken)


def _ends(
    session: Session, relation: Relation, matched: Matched, target: Path
) -> tuple[date | None, date | None]:
    """Return the first and last day of what was read, if no event of the range was staged.

    With the replay clock they are always wanted: its partitions end with them (`replay.py`).

    Raises:
        SourceError: the source has no row.
    """
    staged = any(folder.name != f"dt={NO_DAY}" for folder in target.glob("dt=*"))
    if staged and session.settings.platform.clock != "replay":
        return None, None
    values = values_query(EVENTS, session.settings.sources.events, relation, matched)
    day = f"CAST(timezone({quoted(session.settings.platform.time_zone)}, v_occurred_at) AS DATE)"
    row = session.con.execute(f"SELECT count(*), min({day}), max({day}) FROM ({values})").fetchone()
    assert row is not None
    if row[0] == 0 and not relation.broken:
        raise SourceError(
            f"{EVENTS.setting}: {relation.place} has no row: no events exist.",
            f"Export the table again, or correct {EVENTS.setting}.",
        )
    ends = [day for day in (row[2], relation.last_folder) if day]
    return row[1], max(ends, default=None)
