"""Checks that no feature of a day uses later data: alter the future, and compare.

A scratch copy of the lake is built twice for the day and the week after it: as it is, and with
everything that became known from the day's midnight on deleted, changed or added to. Built as a
range, because that is where a query that forgets its day sees the future.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange, day_of, day_start, require_started
from conversion_platform.errors import NotReadyError
from conversion_platform.features.altering import alter_future
from conversion_platform.features.build import build_features
from conversion_platform.features.builtin import HISTORY_DAYS
from conversion_platform.features.pairs import feature_spec, pair_query
from conversion_platform.features.sources import event_days, require_sources
from conversion_platform.features.tables import (
    JOB_FEATURES,
    TABLES,
    USER_FEATURES,
)
from conversion_platform.features.texts import SENT, message_days
from conversion_platform.lake import Lake, LocalStorage, Session, scratch_folder
from conversion_platform.marketplace import (
    ATTRIBUTES,
    EVENTS,
    JOBS,
    JOBS_HISTORY,
    USERS,
    USERS_CONTACTS,
    USERS_HISTORY,
    as_of,
    attribute_types,
)

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake import Table

_SAMPLED_USERS = _SAMPLED_JOBS = 60

_LIFECYCLE_COLUMNS = {
    USERS.name: ("user", "created_at", "joined", "left_at", "left"),
    JOBS.name: ("job", "opened_at", "opened", "closed_at", "closed"),
}


@dataclass(frozen=True)
class ChangedFeature:
    """One feature that changed although only the future did.

    Attributes:
        table: Where it is: a feature table, or `pair_features`.
        column: The feature; `(rows)` if rows came or went.
        rows: How many rows changed.
        example: The key of one of them.
    """

    table: str
    column: str
    rows: int
    example: str


@dataclass(frozen=True)
class PointInTime:
    """What `check_point_in_time` found.

    Attributes:
        day: The day whose features were compared.
        compared: Rows compared, by table.
        changed: What changed, and should not have.
    """

    day: date
    compared: dict[str, int]
    changed: tuple[ChangedFeature, ...]

    @property
    def holds(self) -> bool:
        """Whether no feature changed."""
        return not self.changed

    def render(self) -> str:
        """Return the result in a few lines."""
        counted = ", ".join(f"{rows:,} rows of {name}" for name, rows in self.compared.items())
        if self.holds:
            return (
                f"No feature of {self.day} looks ahead: altering the future left {counted} alone."
            )
        lines = [f"Features of {self.day} look ahead: only the future was altered, and yet"]
        lines += [
            f"  {one.table}.{one.column} changed in {one.rows:,} rows, such as {one.example}"
            for one in self.changed
        ]
        lines.append(
            "  What to do: use only events with `known_at < as_of` of their day, and no column of "
            "users or jobs that is filled in later (left_at, closed_at)."
        )
        return "\n".join(lines)


def check_point_in_time(
    session: Session, day: date, ahead_days: int = 7, seed: int = 0
) -> PointInTime:
    """Alter everything that became known from `day` on, and compare the features of `day`.

    Works in a scratch copy in the system's temporary folder; `lake` is only read.

    Args:
        session: Settings, lake and DuckDB connection.
        day: The day whose features must not change. Needs events before it.
        ahead_days: How many days after it are altered.
        seed: Of the random choice of what is deleted, changed or added to.

    Raises:
        NotReadyError: there are no source tables, or no events before `day`; the day is before
            the platform's first, or nobody and nothing is there on it.
        SettingsError: a file of custom features is wrong.
    """
    require_started(day, session.settings.platform.start_date)
    days = DayRange.of(day).widened(after=ahead_days)
    with scratch_folder("point-in-time") as folder:
        scratch = Lake(
            LocalStorage(folder),
            session.settings.platform.threads,
            session.settings.platform.memory_limit,
        )
        require_sources(session, DayRange.of(day))
        _copy(session, scratch, days)
        names = _build(session.at(scratch), days, "as_is")
        alter_future(session, scratch, days, seed)
        _build(session.at(scratch), days, "altered")
        changed = [one for name, key in names.items() for one in _compare(session.con, name, key)]
        compared = {name: _rows(session.con, f"as_is_{name}") for name in names}
        if not compared[USER_FEATURES.name]:
            raise _nothing(session, day, USERS)
        if not compared[JOB_FEATURES.name]:
            raise _nothing(session, day, JOBS)
    return PointInTime(day, compared, tuple(changed))


def _nothing(session: Session, day: date, table: Table) -> NotReadyError:
    """Return the error for a day that no user, or no job, has features on."""
    one, start, began, end, ended = _LIFECYCLE_COLUMNS[table.name]
    zone = session.settings.platform.time_zone
    midnight = day_start(day, zone).isoformat()
    first, last = session.con.execute(
        f"SELECT min({start}), max({end}) FILTER ({start} < TIMESTAMPTZ '{midnight}') "
        f"FROM {session.lake.select(table)}"
    ).fetchall()[0]
    problem = f"There is nothing to compare on {day}: "
    if last is not None:
        gone = day_of(last - datetime.resolution, zone)  # who leaves at midnight is gone
        return NotReadyError(
            f"{problem}every {one} that had {began} had {ended} by then, the last on {gone}.",
            f"Choose a day up to {gone}.",
        )
    if first is None:
        return NotReadyError(f"{problem}there is no {one} at all.", f"Look at `{table.name}`.")
    soon = day_of(first, zone)
    return NotReadyError(
        f"{problem}no {one} had {began} by then; the first did on {soon}.",
        f"Choose a day after {soon}.",
    )


def _copy(session: Session, scratch: Lake, days: DayRange) -> None:
    """Write the tables and partitions that features of `days` read into the scratch lake."""
    for table in (USERS, USERS_CONTACTS, JOBS, ATTRIBUTES):
        scratch.write(session.con, table, f"SELECT * FROM {session.lake.select(table)}")
    for history in (USERS_HISTORY, JOBS_HISTORY):
        _copy_snapshots(session, scratch, history, days.first)
    needed = event_days(session.settings, days, HISTORY_DAYS)
    there = set(session.lake.days(EVENTS))
    for one in needed:
        if one in there:
            _copy_partition(session.lake, scratch, EVENTS, one)
        elif one >= days.first:
            # The future has not happened yet; the altered one will have.
            empty = f"SELECT * EXCLUDE (dt) FROM ({EVENTS.empty_select()})"
            scratch.write(session.con, EVENTS, empty, one)
    for one in session.lake.days(SENT):
        if one in message_days(days):
            _copy_partition(session.lake, scratch, SENT, one)


def _copy_snapshots(session: Session, scratch: Lake, table: Table, day: date) -> None:
    """Copy snapshots; a day before the first one gets what it sees as one of its own.

    What is altered on the day after it would else be the first snapshot, which earlier days see.
    """
    captured = session.lake.days(table)
    for one in captured:
        _copy_partition(session.lake, scratch, table, one)
    if captured[0] > day:
        seen = as_of(session.lake, table, day, attribute_types(session, table))
        query = f"SELECT *, DATE '{day}' AS valid_from, true AS present FROM {seen}"
        scratch.write(session.con, table, query, day)


def _copy_partition(lake: Lake, scratch: Lake, table: Table, day: date) -> None:
    key = lake.key(table, day)
    scratch.storage.replace(key, lake.storage.read(key))


def _build(session: Session, days: DayRange, label: str) -> dict[str, tuple[str, ...]]:
    """Build the features and keep those of the first day; their tables' names and keys."""
    build_features(session, days)
    day = DayRange.of(days.first)
    for table in TABLES:
        session.con.execute(
            f"CREATE OR REPLACE TEMP TABLE {label}_{table.name} AS "
            f"SELECT * EXCLUDE (dt) FROM {session.lake.select(table, day)}"
        )
    spec = feature_spec(session)
    query = pair_query(session, spec, _sampled_pairs(days.first), days)
    session.con.execute(f"CREATE OR REPLACE TEMP TABLE {label}_pair_features AS {query}")
    return {table.name: table.key for table in TABLES} | {"pair_features": ("user_id", "job_id")}


def _sampled_pairs(day: date) -> str:
    """Return some users with some jobs, the same ones before and after the change."""
    return (
        f"(SELECT u.user_id, j.job_id, DATE '{day.isoformat()}' AS dt FROM "
        f"(SELECT user_id FROM as_is_user_features ORDER BY md5(user_id), user_id "
        f"LIMIT {_SAMPLED_USERS}) AS u CROSS JOIN "
        f"(SELECT job_id FROM as_is_job_features ORDER BY md5(job_id), job_id "
        f"LIMIT {_SAMPLED_JOBS}) AS j)"
    )


def _compare(
    con: duckdb.DuckDBPyConnection, name: str, key: tuple[str, ...]
) -> Iterator[ChangedFeature]:
    columns = [row[0] for row in con.execute(f"DESCRIBE as_is_{name}").fetchall()]
    joined = " AND ".join(f'a."{column}" = b."{column}"' for column in key)
    shown = " || ' ' || ".join(f'coalesce(a."{column}", b."{column}")' for column in key)
    source = f"FROM as_is_{name} AS a FULL JOIN altered_{name} AS b ON {joined}"
    conditions = {"(rows)": f'a."{key[0]}" IS NULL OR b."{key[0]}" IS NULL'} | {
        column: f'a."{key[0]}" IS NOT NULL AND b."{key[0]}" IS NOT NULL '
        f'AND a."{column}" IS DISTINCT FROM b."{column}"'
        for column in columns
        if column not in key
    }
    for column, condition in conditions.items():
        row = con.execute(f"SELECT count(*), min({shown}) {source} WHERE {condition}").fetchone()
        if row and row[0]:
            yield ChangedFeature(name, column, int(row[0]), str(row[1]))


def _rows(con: duckdb.DuckDBPyConnection, name: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {name}").fetchone()
    return int(row[0]) if row else 0
