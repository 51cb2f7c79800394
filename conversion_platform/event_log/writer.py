"""Appends events: each one once, in new files.

The result of a query is compared with the log of the same type and day, and the new events are
written to one file with the next free number. If another writer has taken the number, they are
compared again. A kill at any moment leaves a complete new file or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.errors import DamagedFileError, EventLogError
from conversion_platform.event_log.files import day_files, file_key, gaps, log_files, select_log
from conversion_platform.event_log.types import COMMON, EventType, event_type_named
from conversion_platform.lake import Column, Session

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake import Lake

ATTEMPTS = 200  # each lost attempt means that another writer succeeded
BETWEEN, NOTHING = "chr(31)", "chr(30)"  # so that ('a', NULL) and ('a', '') and ('a|', '') differ


@dataclass(frozen=True)
class Appended:
    """Numbers of events of one type: new ones, and those that the log already had."""

    event_type: str
    new: int
    already_there: int


def append(
    session: Session,
    event_type: str,
    query: str,
    days: DayRange,
    recorded_at: datetime | None = None,
) -> Appended:
    """Append the events of `query` that the log does not have.

    Args:
        session: Settings, lake and DuckDB connection.
        event_type: One of `EVENT_TYPES`.
        query: SQL for `occurred_at`, `dt` (DATE) and the type's other columns, and no further
            ones: a column that is not declared, such as a phone number, is refused.
        days: Rows with a `dt` outside are left out.
        recorded_at: The current time. None for a replay, so that two replays give the same bytes.

    Raises:
        EventLogError: the type is unknown, a column is missing or not declared, a row has no time
            or day, or a file of the log is damaged or missing.
        LakeError: the disk is full; the log is unchanged.
    """
    spec = event_type_named(event_type)
    _check_columns(session.con, spec, query)
    with _readable(), _candidates(session.con, spec, query, days, recorded_at) as (table, rows):
        present = log_files(session.lake, spec)
        new = sum(_append_day(session, spec, table, day, present.get(day, [])) for day in rows)
    return Appended(event_type, new, sum(rows.values()) - new)


def _append_day(
    session: Session, spec: EventType, table: str, day: date, present: Sequence[int]
) -> int:
    """Write the new events of one day; return how many there were."""
    for _ in range(ATTEMPTS):
        _check_complete(session.lake, spec, day, present)
        known = select_log(session.lake, spec, {day: present})
        fresh = (
            f"SELECT * EXCLUDE (dt) FROM {table} WHERE dt = DATE '{day.isoformat()}' "
            f"AND event_id NOT IN (SELECT event_id FROM {known}) ORDER BY event_id"
        )
        with session.lake.storage.staged() as path:
            rows = session.lake.copy_out(session.con, fresh, path)
            key = file_key(spec, day, max(present, default=0) + 1)
            if rows == 0 or session.lake.storage.create(key, path.read_bytes()):
                return rows
        present = day_files(session.lake, spec, day)
    raise EventLogError(
        f"Other processes keep adding to `{spec.name}` of {day}.",
        "Run the same days again when they are done; events that were added stay.",
    )


def _check_columns(con: duckdb.DuckDBPyConnection, spec: EventType, query: str) -> None:
    given = {row[0] for row in con.execute(f"DESCRIBE SELECT * FROM ({query})").fetchall()}
    wanted = {"occurred_at", "dt"} | {column.name for column in spec.own_columns}
    problems = [
        f"{word} {', '.join(sorted(names))}"
        for word, names in (("lacks", wanted - given), ("may not have", given - wanted))
        if names
    ]
    if problems:
        raise EventLogError(
            f"The events of type `{spec.name}`: the query {' and '.join(problems)}.",
            f"Give exactly the columns {', '.join(sorted(wanted))}.",
        )


@contextmanager
def _candidates(
    con: duckdb.DuckDBPyConnection,
    spec: EventType,
    query: str,
    days: DayRange,
    recorded_at: datetime | None,
) -> Iterator[tuple[str, dict[date, int]]]:
    """Write the distinct events to a temporary table; return its name and its rows by day."""
    table = f'"_log_{spec.name}"'
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {_events(spec, query)}", [recorded_at])
    try:
        _check_rows(con, spec, table)
        counted = con.execute(
            f"SELECT dt, count(*) FROM {table} WHERE dt BETWEEN $1 AND $2 GROUP BY dt ORDER BY dt",
            [days.first, days.last],
        ).fetchall()
        yield table, dict(counted)
    finally:
        con.execute(f"DROP TABLE IF EXISTS {table}")


def _events(spec: EventType, query: str) -> str:
    given = (COMMON[1], Column("dt", "DATE", ""), *spec.own_columns)
    cast = ", ".join(
        f'CAST("{column.name}" AS {column.type}) AS "{column.name}"' for column in given
    )
    identity = ", ".join(_as_text(name) for name in spec.identity)
    own = ", ".join(f'"{column.name}"' for column in spec.own_columns)
    every = f"occurred_at, {own}"
    return (
        f"SELECT md5(concat_ws({BETWEEN}, '{spec.name}', {identity})) AS event_id, occurred_at, "
        f"$1::TIMESTAMPTZ AS recorded_at, {own}, dt FROM (SELECT {cast} FROM ({query})) "
        f"QUALIFY row_number() OVER (PARTITION BY event_id, dt ORDER BY {every}) = 1"
    )


def _as_text(name: str) -> str:
    """Return SQL for a column as text, independent of the session's time zone."""
    value = "epoch_us(occurred_at)" if name == "occurred_at" else f'"{name}"'
    return f"coalesce(CAST({value} AS VARCHAR), {NOTHING})"


def _check_rows(con: duckdb.DuckDBPyConnection, spec: EventType, table: str) -> None:
    lost = con.execute(
        f"SELECT count(*) FILTER (occurred_at IS NULL OR dt IS NULL) FROM {table}"
    ).fetchall()[0][0]
    if lost:
        raise EventLogError(
            f"{lost} events of type `{spec.name}` have no `occurred_at` or no `dt`.",
            "Leave such rows out of the query, or give them a time.",
        )


def _check_complete(lake: Lake, spec: EventType, day: date, present: Sequence[int]) -> None:
    for number in gaps(present):
        raise EventLogError(
            f"{lake.storage.location(file_key(spec, day, number))} is missing from the log.",
            "Restore it from a backup; the log is never rewritten.",
        )


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except DamagedFileError as error:
        remedy = "Restore that file from a backup; the log is never rewritten."
        raise EventLogError(error.problem, remedy) from error
