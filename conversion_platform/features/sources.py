"""Puts what the feature queries read in place: users, jobs and events, in integer codes."""

from __future__ import annotations

from collections.abc import Iterable
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
from conversion_platform.marketplace import (
    ATTRIBUTES,
    EVENTS,
    JOBS_HISTORY,
    USERS_HISTORY,
    attribute_types,
    ever_known,
    require_history,
    versions,
)

if TYPE_CHECKING:
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
    require_history(session.lake)
    session.lake.require(ATTRIBUTES)
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
    _attach_users_and_jobs(session, days)
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


def _attach_users_and_jobs(session: Session, days: DayRange) -> None:
    """Create the users and jobs as each of `days` saw them, and integer codes of their ids.

    Codes are of everybody who was ever captured: an event counts for its job although its user is
    gone, on whichever days.
    """
    for level, table in (("user", USERS_HISTORY), ("job", JOBS_HISTORY)):
        session.con.execute(
            f"CREATE OR REPLACE TEMP TABLE feature_{level}_codes AS "
            f"SELECT row_number() OVER ()::INTEGER AS {level}_code, {level}_id "
            f"FROM {ever_known(session.lake, table)}"
        )
    users, jobs = (
        _renamed(versions(session.lake, table, attributes), attributes)
        for table, attributes in (
            (table, attribute_types(session, table)) for table in (USERS_HISTORY, JOBS_HISTORY)
        )
    )
    session.con.execute(
        "CREATE OR REPLACE TEMP TABLE feature_users AS "
        f"SELECT c.user_code, u.* FROM {users} AS u "
        "INNER JOIN feature_user_codes AS c ON u.user_id = c.user_id "
        f"WHERE u.from_day <= DATE '{days.last}' AND u.to_day > DATE '{days.first}'"
    )
    session.con.execute(rendered("job_versions", {"jobs": jobs}))


def change_days(session: Session, days: DayRange) -> set[date]:
    """Return those of `days` that see other users or jobs than the day before."""
    rows = session.con.execute(
        "SELECT DISTINCT day FROM ("
        "SELECT unnest([from_day, to_day]) AS day FROM feature_users UNION ALL "
        "SELECT unnest([from_day, to_day]) AS day FROM feature_job_versions) "
        f"WHERE day BETWEEN DATE '{days.first}' AND DATE '{days.last}'"
    ).fetchall()
    return {day for (day,) in rows}


def _renamed(rows: str, attributes: Iterable[str]) -> str:
    """Return SQL of rows with their attributes under names that no query uses.

    A job's own `clicks_7d` would else be read in place of the clicks that are counted.
    """
    renamed = ", ".join(
        f"{identifier(name)} AS {identifier(stored_name(name))}" for name in attributes
    )
    return f"(SELECT * RENAME ({renamed}) FROM {rows})" if renamed else rows


def stored_name(attribute: str) -> str:
    """Return the name of an attribute in `feature_users` or `feature_job_versions`."""
    return f"_attribute_{attribute}"
