"""The session in which the files of custom features run.

People write them, and what they return lies in tables that anyone may read. So a file sees its
views and nothing else: no other table, and no file of the lake, of a source or of the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange, day_start
from conversion_platform.features.builtin import HISTORY_DAYS
from conversion_platform.features.sources import attach_days, event_days
from conversion_platform.lake import Session, escape_glob, quoted
from conversion_platform.marketplace import (
    EVENTS,
    JOBS_HISTORY,
    USERS_HISTORY,
    attribute_types,
    shown_as_of,
)

if TYPE_CHECKING:
    import duckdb


@contextmanager
def sealed_session(
    session: Session, days: DayRange, rows: bool = True
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection with what a file may read in place, which can open no other file.

    Its configuration is locked, so that no statement can widen it.

    Args:
        session: Settings, lake and DuckDB connection.
        days: The days being built.
        rows: Whether there are rows; else columns alone, to bind a file.
    """
    with session.lake.connect(reading=True, any_format=True) as con:
        attach_days(replace(session, con=con), days)
        con.execute("CREATE TEMP VIEW days AS SELECT dt, as_of FROM feature_days")
        _attach_users_and_jobs(session, con, days, rows)
        _attach_events(session, con, days, rows)
        files = session.lake.files(EVENTS, _event_days(session, days)) if rows else []
        read = {*files, *map(escape_glob, files)}  # DuckDB asks for both
        con.execute(f"SET allowed_paths = [{', '.join(map(quoted, sorted(read)))}]")
        con.execute("SET python_enable_replacements = false")  # variables of this process
        con.execute("SET enable_external_access = false")
        con.execute("SET lock_configuration = true")
        yield con


def _attach_users_and_jobs(
    session: Session, con: duckdb.DuckDBPyConnection, days: DayRange, rows: bool
) -> None:
    """Copy users and jobs: the files that users come from hold coordinates too."""
    for name, table in (("users", USERS_HISTORY), ("jobs", JOBS_HISTORY)):
        seen = shown_as_of(session.lake, table, days.first, attribute_types(session, table))
        con.execute(f"CREATE TEMP TABLE {name} AS FROM {seen}{'' if rows else ' LIMIT 0'}")


def _attach_events(
    session: Session, con: duckdb.DuckDBPyConnection, days: DayRange, rows: bool
) -> None:
    last = day_start(days.last, session.settings.platform.time_zone).isoformat()
    known = (
        "SELECT * FROM (SELECT *, known_at(occurred_at, recorded_at) AS known_at FROM "
        f"{session.lake.select(EVENTS, _event_days(session, days))}) "
        f"WHERE known_at < TIMESTAMPTZ {quoted(last)}"
    )
    if rows:
        con.execute(f"CREATE TEMP VIEW events AS {known}")
    else:
        con.execute(f"CREATE TEMP TABLE events AS {known} LIMIT 0")


def _event_days(session: Session, days: DayRange) -> DayRange:
    return event_days(session.settings, days, HISTORY_DAYS)
