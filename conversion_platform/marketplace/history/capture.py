"""Keeps what the source showed on a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import ONE_DAY, DayRange, day_of
from conversion_platform.errors import NotReadyError
from conversion_platform.lake import Session, Written, identifier, quoted, rendered
from conversion_platform.marketplace.history.reading import (
    FIRST_DAY,
    as_of,
    present_types,
    valued_types,
    with_attributes,
)
from conversion_platform.marketplace.history.tables import (
    HISTORIES,
    SNAPSHOT_TABLES,
    USERS_HISTORY,
    History,
)
from conversion_platform.marketplace.history.whole import write_whole
from conversion_platform.marketplace.tables import EVENTS, USERS_CONTACTS

if TYPE_CHECKING:
    from conversion_platform.lake import Lake, Table

_CAPTURED = "_captured"
_SHOWN_RUNS = 6


@dataclass(frozen=True)
class Captured:
    """One day's snapshot.

    Attributes:
        table: The table of snapshots.
        day: The day.
        written: The partitions that were written; none if the day had its snapshot already.
        changes: How many rows are new, changed, corrected (they change what was so on a day
            that is captured already) or gone.
        built: The days that were built with what was corrected, or with rows that are gone; None
            if none was.
        replaceable: The snapshots that those days see.
    """

    table: str
    day: date
    written: tuple[Written, ...] = ()
    changes: dict[str, int] | None = None
    built: DayRange | None = None
    replaceable: tuple[date, ...] = ()

    @property
    def corrected(self) -> int:
        """Rows that were otherwise on days that were built already."""
        return (self.changes or {}).get("corrected", 0) if self.built else 0

    def note(self) -> str:
        """Return what a person should know; empty if nothing."""
        changes = self.changes or {}
        told = [
            f"{changes[name]:,} {words}"
            for name, words in (("corrected", "rows corrected"), ("gone", "rows no longer shown"))
            if changes.get(name)
        ]
        if not told or self.built is None:
            return ""
        return (
            f"{self.table}: {' and '.join(told)} by the source. The days {self.built.first} to "
            f"{self.built.last} were built with what it showed before, and keep that. They see the "
            f"snapshots of {_listed(self.replaceable)}. To build one of these days with what the "
            "source shows now: conversion-platform run --refresh-snapshot DAY. A day between sees "
            "the one before it, and a day before all the first: refresh that one, then run the day "
            "again."
        )


def _listed(days: Sequence[date]) -> str:
    """Return days in words: those that follow each other as the first and the last of them."""
    runs: list[DayRange] = []
    for day in days:
        if runs and day == runs[-1].last + ONE_DAY:
            runs[-1] = DayRange(runs[-1].first, day)
        else:
            runs.append(DayRange.of(day))
    shown = [f"{run.first} to {run.last}" if len(run) > 1 else str(run) for run in runs]
    if len(shown) > _SHOWN_RUNS:
        shown = [*shown[: _SHOWN_RUNS - 1], "...", shown[-1]]
    return ", ".join(shown)


def capture(session: Session, table: Table, days: DayRange, refresh: bool = False) -> Captured:
    """Keep the checked users, or jobs, as the source shows them in the run of `days`.

    The first snapshot of a day stays, and a day before the newest snapshot gets none: what it would
    show is known only from then on. Of several days the first one without a snapshot has the
    changes, and the last one says that there were no more.

    Args:
        session: Settings, lake and DuckDB connection.
        table: USERS_HISTORY or JOBS_HISTORY.
        days: The days of the run.
        refresh: Whether to replace the snapshot of the last of the days.

    Raises:
        NotReadyError: there is no snapshot of that day to be replaced.
    """
    history, captured = HISTORIES[table.name], session.lake.days(table)
    if refresh:
        require_snapshots(session.lake, days.last, [table])
        return _capture(session, history, days.last, days.last, captured)
    new = [day for day in days if not captured or day > captured[-1]]
    if not new:
        return Captured(table.name, days.last)
    return _capture(session, history, new[0], new[-1], captured)


def _capture(
    session: Session, history: History, day: date, until: date, captured: list[date]
) -> Captured:
    table = history.table
    before = max((one for one in captured if one < day), default=None)
    after = min((one for one in captured if one > day), default=None)
    ends = [until] if after is None and until > day else []
    if after is not None:
        until = after - ONE_DAY
    attributes = present_types(session, history)
    if after is not None:
        # One that was captured later only is filled in from there, as on the days that follow.
        by_then = valued_types(session, history, day)
        attributes = {name: kind for name, kind in attributes.items() if name in by_then}
    with _changes(session, history, DayRange(day, until), before, attributes):
        written = [] if after is None else [write_whole(session, history, after, _CAPTURED)]
        query = f"SELECT * EXCLUDE (change, known_start) FROM {_CAPTURED}"
        nothing = f"{query} WHERE false"
        if day in captured:
            query += f" UNION ALL BY NAME ({_remembered(session, history, day)})"
        written.append(session.lake.write(session.con, table, query, day))
        written += [session.lake.write(session.con, table, nothing, end) for end in ends]
        built = _built(session, history, day, captured)
        seen = _seen_by(built, captured) if built else ()
        return Captured(table.name, day, tuple(written), _counts(session), built, seen)


def capture_both(
    session: Session, days: DayRange, refresh: bool = False
) -> tuple[Captured, Captured]:
    """Capture users and jobs, like `capture`."""
    users, jobs = (capture(session, table, days, refresh) for table in SNAPSHOT_TABLES)
    return users, jobs


def require_snapshots(lake: Lake, day: date, tables: Sequence[Table] = SNAPSHOT_TABLES) -> None:
    """Make sure that users and jobs have a snapshot of a day, which can be replaced.

    Raises:
        NotReadyError: naming the table, and the snapshot that the day sees.
    """
    for table in tables:
        days = lake.days(table)
        if day in days:
            continue
        problem = f"{table.name} has no snapshot of {day} that could be replaced."
        if not days:
            raise NotReadyError(
                problem, f"Run the day first: conversion-platform run --from {day}."
            )
        seen, *_ = _seen_by(DayRange.of(day), days)
        raise NotReadyError(
            problem,
            f"Days with one: {_listed(days)}. {day} sees that of {seen}: give --refresh-snapshot "
            f"{seen}, then run {day} again.",
        )


def _remembered(session: Session, history: History, day: date) -> str:
    """Return SQL of the ids that a snapshot has alone, and that `_CAPTURED` has not."""
    return rendered(
        __package__,
        "sql/remembered",
        key=history.key,
        captured=session.lake.select(history.table),
        day=quoted(day.isoformat()),
        rows=_CAPTURED,
    )


@contextmanager
def _changes(
    session: Session,
    history: History,
    days: DayRange,
    before: date | None,
    attributes: Mapping[str, str],
) -> Iterator[None]:
    """Put the rows of a snapshot in a temporary table.

    Args:
        session: Settings, lake and DuckDB connection.
        history: Of users, or of jobs.
        days: The first is the day of the snapshot. A source that tells versions tells those that
            begin on the others as well.
        before: The day of the snapshot before; None if there is none.
        attributes: Those that are captured, with their DuckDB types.
    """
    day = days.first
    columns = [column.name for column in history.columns] + list(attributes)
    since = before + ONE_DAY if before else FIRST_DAY
    query = rendered(
        __package__,
        "sql/capture",
        key=history.key,
        start=history.start,
        columns=", ".join(map(identifier, columns)),
        current=_current(session, history),
        versions=with_attributes(session.lake.select(history.versions), attributes),
        before=_known_before(session, history, day, before, attributes),
        zone=quoted(session.settings.platform.time_zone),
        day=quoted(day.isoformat()),
        since=quoted(since.isoformat()),
        until=quoted(days.last.isoformat()),
        since_of_new="_cp_since" if before else f"DATE '{day}'",
        continued=f"(SELECT * FROM {_of_day(session, history, before or day)} "
        f"WHERE {'valid_from > dt' if before else 'false'})",
        all_rows=_has_first_value(session, history, before, attributes),
    )
    session.con.execute(f"CREATE OR REPLACE TEMP TABLE {_CAPTURED} AS {query}")
    try:
        yield
    finally:
        session.con.execute(f"DROP TABLE IF EXISTS {_CAPTURED}")


def _known_before(
    session: Session,
    history: History,
    day: date,
    before: date | None,
    attributes: Mapping[str, str],
) -> str:
    """Return SQL of the rows that the snapshots before a day end with.

    The snapshot before may tell versions that begin later than its day, up to `day` itself.
    """
    if before is None:
        known = as_of(session.lake, history.table, day, attributes)
        return f"(SELECT * FROM {known} WHERE false)"
    newest = f"SELECT max(valid_from) FROM {_of_day(session, history, before)}"
    last = (session.con.execute(newest).fetchone() or (None,))[0]
    if last is None or last <= before:
        return as_of(session.lake, history.table, before, attributes)

    def others(table: Table, days: DayRange | None = None) -> str:
        return f"(SELECT * FROM {session.lake.select(table, days)} WHERE dt <> DATE '{day}')"

    return as_of(session.lake, history.table, min(last, day), attributes, others)


def _of_day(session: Session, history: History, day: date) -> str:
    return session.lake.select(history.table, DayRange.of(day))


def _has_first_value(
    session: Session, history: History, before: date | None, attributes: Mapping[str, str]
) -> str:
    """Return a SQL condition: the rows told have the first value of some attribute."""
    earlier = valued_types(session, history, before) if before and attributes else {}
    counts = [f"count({identifier(name)}) > 0" for name in attributes if name not in earlier]
    return f"(SELECT {' OR '.join(counts)} FROM told)" if counts else "false"


def _current(session: Session, history: History) -> str:
    """Return SQL of the rows as the source shows them now."""
    current = session.lake.select(history.current)
    if history.table != USERS_HISTORY:
        return current
    contacts = session.lake.select(USERS_CONTACTS)
    return (
        "(SELECT users.*, contacts.latitude, contacts.longitude "
        f"FROM {current} AS users LEFT JOIN {contacts} AS contacts USING (user_id))"
    )


def _counts(session: Session) -> dict[str, int]:
    rows = session.con.execute(
        f"SELECT change, count(*) FROM {_CAPTURED} WHERE change IS NOT NULL "
        "GROUP BY change ORDER BY change"
    ).fetchall()
    return dict(rows)


def _built(
    session: Session, history: History, day: date, captured: Sequence[date]
) -> DayRange | None:
    """Return the days before `day` that were built with what is corrected, or gone, since."""
    row = session.con.execute(
        f"SELECT min(least(known_start, {history.start})) FROM {_CAPTURED} "
        "WHERE change IN ('corrected', 'gone')"
    ).fetchone()
    if row is None or row[0] is None:
        return None
    platform = session.settings.platform
    first = max(day_of(row[0], platform.time_zone), platform.start_date)
    known = {*captured, *session.lake.days(EVENTS)}
    built = [one for one in known if first <= one < day]
    return DayRange.spanning(built) if built else None


def _seen_by(days: DayRange, captured: Sequence[date]) -> tuple[date, ...]:
    """Return the snapshots that days see: those of these days, and the one before the first.

    Days before the first snapshot see that one.
    """
    before = max((one for one in captured if one <= days.first), default=min(captured))
    return tuple(one for one in captured if before <= one <= max(days.last, before))
