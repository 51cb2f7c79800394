"""Assigns the job of the day, one day after another.

Days are assigned in order, because the repeat rule and the weekly cap read the neighbouring days:
those before, and for a day that is filled in late also those after.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfoNotFoundError

from conversion_platform.applications.job_of_the_day.cohorts import add_members, in_order
from conversion_platform.applications.job_of_the_day.tables import JOB_OF_THE_DAY
from conversion_platform.days import ONE_DAY, DayRange, at_local_time
from conversion_platform.experiments import HOLDOUT, arm_sql
from conversion_platform.features import USER_FEATURES
from conversion_platform.inference import DAILY_PREDICTIONS
from conversion_platform.lake import Session, Written, identifier, instant, listed, rendered
from conversion_platform.marketplace import (
    EVENTS,
    USERS_HISTORY,
    attribute_types,
    require_history,
    shown_as_of,
)

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake import Lake
    from conversion_platform.settings import Settings

CAP_DAYS = 7

_VIEWS = ("near", "predictions", "converted", "people")
_TABLES = ("assigned", "cohorts", "members", "send_times", "zones")


@dataclass(frozen=True)
class Assigned(Written):
    """One day's partition of assignments.

    Attributes:
        treated: Assignments in the treatment arm.
        holdout: Assignments in the holdout arm.
        by_cohort: Assignments (both arms) of every cohort, including those with none.
        note: Why there are no assignments; else empty.
    """

    treated: int
    holdout: int
    by_cohort: dict[str, int]
    note: str


def assign_days(session: Session, days: DayRange) -> list[Assigned]:
    """Write JOB_OF_THE_DAY for each of `days`, in order.

    A user gets the best of the day's predictions that they have not converted on and that was
    not assigned to them within `job_of_the_day.repeat_days`, in the first cohort (by priority,
    then name) whose predicate is true; at most `max_texts_per_week` in 7 days. Users above a
    cohort's size, or below its `min_probability`, get none that day, not one of the next cohort.

    Raises:
        NotReadyError: the predictions or the user features of one of the days are missing.
        SettingsError: a cohort's predicate cannot be used; the message names the cohort.
    """
    require_history(session.lake)
    for table in (DAILY_PREDICTIONS, USER_FEATURES):
        session.lake.require(table, days)
    return [_assign_day(session, day) for day in days]


def days_to_assign(
    lake: Lake, days: DayRange, today: date | None, texted: Collection[date]
) -> list[date]:
    """Return those of `days` whose assignments may still be written.

    A day that is over, or with a message that was given to the provider, keeps its assignments:
    messages were sent by them, the repeat rule and weekly cap of other days read them, and its arms
    are compared as they were drawn. A day without assignments may get them, for the record; no
    message is sent for a day that is over.

    Args:
        lake: The lake with JOB_OF_THE_DAY.
        days: Days of the run.
        today: The current day; None for a replay, in which no day is over.
        texted: Days with a message that was given to the provider.
    """
    assigned = set(lake.days(JOB_OF_THE_DAY))
    closed = {day for day in assigned if day in texted or (today is not None and day < today)}
    return [day for day in days if day not in closed]


def send_time(day: date, clock: time, zone: str | None, platform_zone: str) -> datetime:
    """Return the UTC instant of `clock` on `day` in the recipient's time zone.

    An unknown or missing zone is replaced by the platform's. A time that daylight saving skips is
    moved by the skipped hour; of a time that occurs twice the first is taken.
    """
    try:
        return at_local_time(day, clock, zone or platform_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return at_local_time(day, clock, platform_zone)


def _assign_day(session: Session, day: date) -> Assigned:
    with _relations(session, day):
        _add_cohorts(session)
        _add_send_times(session, day)
        session.con.execute(
            f"CREATE OR REPLACE TEMP TABLE assigned AS {_assign_sql(session.settings, day)}"
        )
        written = session.lake.write(session.con, JOB_OF_THE_DAY, "FROM assigned", day)
        return _summary(session, written)


@contextmanager
def _relations(session: Session, day: date) -> Iterator[None]:
    """Create the temporary relations that assign.sql reads for one day; drop them at the end."""
    reach = max(session.settings.job_of_the_day.repeat_days, CAP_DAYS) - 1
    near = session.lake.select(JOB_OF_THE_DAY, DayRange.of(day).widened(before=reach, after=reach))
    session.con.execute(
        f"CREATE OR REPLACE TEMP VIEW near AS SELECT * FROM {near} WHERE dt <> DATE '{day}'"
    )
    session.lake.view(session.con, DAILY_PREDICTIONS, DayRange.of(day), "predictions")
    session.con.execute(
        f"CREATE OR REPLACE TEMP VIEW converted AS {_converted_query(session, day)}"
    )
    features = session.lake.select(USER_FEATURES, DayRange.of(day))
    session.con.execute(
        f"CREATE OR REPLACE TEMP VIEW people AS {people_query(session, day, features)} "
        "WHERE u.user_id IN (SELECT user_id FROM predictions)"
    )
    session.con.execute(
        "CREATE OR REPLACE TEMP TABLE zones AS SELECT user_id, time_zone FROM people"
    )
    session.con.execute("CREATE OR REPLACE TEMP TABLE members (user_id VARCHAR, cohort VARCHAR)")
    try:
        yield
    finally:
        for kind, names in (("VIEW", _VIEWS), ("TABLE", _TABLES)):
            for name in names:
                session.con.execute(f"DROP {kind} IF EXISTS temp.{name}")


def _converted_query(session: Session, day: date) -> str:
    """Return SQL for the pairs whose conversion was known before `day`.

    A message about a job that the user has applied for has no use.
    """
    platform = session.settings.platform
    before = DayRange(min(platform.start_date, day - ONE_DAY), day - ONE_DAY)
    return f"""
        SELECT user_id, job_id FROM {session.lake.select(EVENTS, before)}
        WHERE event_type IN ({listed(session.settings.events.conversion_types)})
            AND known_before(occurred_at, recorded_at, {instant(day, platform.time_zone)})"""


def people_query(session: Session, day: date, features: str) -> str:
    """Return SQL for the users as a day saw them: columns that are not personal, features, `day`.

    If a feature has the name of a user's column, the user's column wins; `day` is always the day.

    Args:
        session: Settings, lake and DuckDB connection.
        day: The day.
        features: SQL of USER_FEATURES of the day.
    """
    attributes = attribute_types(session, USERS_HISTORY)
    users = _without_day(session, shown_as_of(session.lake, USERS_HISTORY, day, attributes))
    own = {name.lower() for name in session.con.sql(f"FROM {users} LIMIT 0").columns}
    further = [
        f"f.{identifier(name)}"
        for name in session.con.sql(f"FROM {features} LIMIT 0").columns
        if name.lower() not in own | {"dt"}
    ]
    return f"""
        SELECT {", ".join(["u.*", *further])}, DATE '{day.isoformat()}' AS day
        FROM {users} AS u LEFT JOIN {features} AS f USING (user_id)"""


def _without_day(session: Session, users: str) -> str:
    """Return SQL of users without a column `day` of the source: predicates mean the run's."""
    columns = session.con.sql(f"FROM {users} LIMIT 0").columns
    return f"(SELECT * EXCLUDE (day) FROM {users})" if "day" in columns else users


def _add_cohorts(session: Session) -> None:
    session.con.execute(
        "CREATE OR REPLACE TEMP TABLE cohorts (cohort VARCHAR, size BIGINT, min_probability FLOAT)"
    )
    for name, cohort in in_order(session.settings):
        session.con.execute(
            "INSERT INTO cohorts VALUES (?, ?, ?)", [name, cohort.size, cohort.min_probability]
        )
        add_members(session.con, name, cohort.where, "people", "members")


def _add_send_times(session: Session, day: date) -> None:
    """Fill `send_times`, one row for each cohort and time zone, by Python's zone data."""
    zones = [
        zone for (zone,) in session.con.execute("SELECT DISTINCT time_zone FROM zones").fetchall()
    ]
    session.con.execute(
        "CREATE OR REPLACE TEMP TABLE send_times "
        "(cohort VARCHAR, time_zone VARCHAR, send_at TIMESTAMPTZ)"
    )
    rows = [
        (name, zone, send_time(day, cohort.send_time, zone, session.settings.platform.time_zone))
        for name, cohort in session.settings.cohorts.items()
        for zone in zones
    ]
    if rows:
        session.con.executemany("INSERT INTO send_times VALUES (?, ?, ?)", rows)


def _assign_sql(settings: Settings, day: date) -> str:
    rules = settings.job_of_the_day
    return rendered(
        __package__,
        "assign",
        day=f"DATE '{day}'",
        repeat_days=rules.repeat_days,
        cap_days=CAP_DAYS,
        max_texts_per_week=rules.max_texts_per_week,
        arm=arm_sql("sized.user_id", rules.salt, rules.holdout_share),
    )


def _summary(session: Session, written: Written) -> Assigned:
    rows = session.con.execute(
        """SELECT cohort, count(*), count(*) FILTER (arm = ?) FROM assigned
           GROUP BY cohort""",
        [HOLDOUT],
    ).fetchall()
    by_cohort = dict.fromkeys(session.settings.cohorts, 0) | {
        cohort: total for cohort, total, _ in rows
    }
    holdout = sum(held for _, _, held in rows)
    return Assigned(
        written.table,
        written.day,
        written.rows,
        written.bytes,
        written.rows - holdout,
        holdout,
        by_cohort,
        "" if written.rows else _why_no_assignments(session.con, written.day),
    )


def _why_no_assignments(con: duckdb.DuckDBPyConnection, day: date | None) -> str:
    predicted, members = con.execute(
        "SELECT (SELECT count(*) FROM predictions), (SELECT count(*) FROM members)"
    ).fetchall()[0]
    if not predicted:
        return f"No user is assigned a job on {day}: there are no predictions for that day."
    if not members:
        return f"No user is assigned a job on {day}: no user fits any cohort's predicate."
    return (
        f"No user is assigned a job on {day}: repeats, the weekly cap, sizes or min_probability "
        f"leave none of {members} users. Look at [job_of_the_day] and [cohorts]."
    )
