"""Puts what the feature queries read in place: users, jobs and events, in integer codes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import ONE_DAY, DayRange, day_start
from conversion_platform.features.builtin import HISTORY_DAYS
from conversion_platform.features.templates import (
    event_kinds,
    known_day_sql,
    partition_ends,
    rendered,
)
from conversion_platform.lake import Session, identifier, not_ready
from conversion_platform.marketplace import ATTRIBUTES, EVENTS, JOBS, USERS

if TYPE_CHECKING:
    from conversion_platform.lake import Table
    from conversion_platform.settings import Settings

EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01: how the queries count days."""
    return (day - EPOCH).days


def event_days(settings: Settings, days: DayRange, history: int) -> DayRange:
    """Return the partitions of `events` that hold every event that features of `days` may use."""
    earliest = DayRange.before(days.first, history + settings.events.late_days)
    return DayRange(earliest.first, days.last - ONE_DAY)


def require_sources(session: Session, days: DayRange) -> None:
    """Make sure that the checked tables are there, and that no day of events is missing.

    Raises:
        NotReadyError: naming the table and the days.
    """
    for table in (USERS, JOBS, ATTRIBUTES):
        session.lake.require(table)
    present = session.lake.days(EVENTS)
    last = days.last - ONE_DAY
    if last < session.settings.platform.start_date:
        return
    if not present:
        raise not_ready(EVENTS, f"No day is there, and features of {days} look back.")
    first = max(present[0], event_days(session.settings, days, HISTORY_DAYS).first)
    session.lake.require(EVENTS, DayRange(min(first, last), last))


def attach_sources(session: Session, days: DayRange) -> None:
    """Create the temporary tables and views that the queries of `days` start from."""
    partitions = event_days(session.settings, days, HISTORY_DAYS)
    session.lake.view(session.con, EVENTS, partitions, "feature_source_events")
    _attach_users_and_jobs(session)
    session.con.execute(rendered("formulas", {"shrinkage": session.settings.features.shrinkage}))
    known = {
        "kinds": event_kinds(session.settings),
        "known_on": known_day_sql(session.settings),
        "partitions": partition_ends(session.settings, partitions),
    }
    # Nothing depends on the order of these rows, and keeping it would leave a core idle.
    session.con.execute("SET preserve_insertion_order = false")
    try:
        session.con.execute(rendered("known_events", known))
    finally:
        session.con.execute("RESET preserve_insertion_order")


def attach_days(session: Session, days: DayRange) -> None:
    """Create `feature_days`: the days asked for, with the moments they begin and end."""
    zone = session.settings.platform.time_zone
    session.con.execute(
        "CREATE OR REPLACE TEMP TABLE feature_days "
        "(dt DATE, day INTEGER, as_of TIMESTAMP WITH TIME ZONE, ends TIMESTAMP WITH TIME ZONE)"
    )
    session.con.executemany(
        "INSERT INTO feature_days VALUES (?, ?, ?, ?)",
        [
            (day, day_number(day), day_start(day, zone), day_start(day + ONE_DAY, zone))
            for day in days
        ],
    )


def _attach_users_and_jobs(session: Session) -> None:
    session.con.execute(
        "CREATE OR REPLACE TEMP TABLE feature_users AS "
        f"SELECT row_number() OVER ()::INTEGER AS user_code, {_columns(session, USERS)} "
        f"FROM {session.lake.select(USERS)}"
    )
    session.con.execute(
        "CREATE OR REPLACE TEMP TABLE feature_jobs AS "
        "SELECT row_number() OVER (ORDER BY job_id)::INTEGER AS job_code, "
        f"{_dense_code('category', 'category_code')}, "
        f"{_dense_code('employer_id', 'employer_code')}, "
        # Sums of cents do not depend on the order of summation; sums of doubles do.
        f"TRY_CAST(round(pay * 100) AS BIGINT) AS pay_cents, {_columns(session, JOBS)} "
        f"FROM {session.lake.select(JOBS)}"
    )
    session.con.execute(
        "CREATE OR REPLACE TEMP TABLE feature_categories AS "
        "SELECT DISTINCT category_code, category FROM feature_jobs WHERE category IS NOT NULL"
    )


def _columns(session: Session, table: Table) -> str:
    """Return the select list of a table, with its attributes under names that no query uses.

    A job's own `clicks_7d` would else be read in place of the clicks that are counted.
    """
    declared = {column.name for column in table.columns}
    names = session.con.sql(f"FROM {session.lake.select(table)} LIMIT 0").columns
    renamed = ", ".join(
        f"{identifier(name)} AS {identifier(stored_name(name))}"
        for name in names
        if name not in declared
    )
    return f"* RENAME ({renamed})" if renamed else "*"


def stored_name(attribute: str) -> str:
    """Return the name of an attribute in `feature_users` or `feature_jobs`."""
    return f"_attribute_{attribute}"


def _dense_code(column: str, name: str) -> str:
    return f"if({column} IS NULL, NULL, dense_rank() OVER (ORDER BY {column}))::INTEGER AS {name}"
