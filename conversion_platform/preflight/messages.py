"""Tries the day's messages on a sample of users and jobs: how many would go, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from conversion_platform.applications.job_of_the_day import MEMBERS, send_time
from conversion_platform.days import ONE_DAY
from conversion_platform.lake import Session, instant, rendered
from conversion_platform.marketplace import JOBS, USERS
from conversion_platform.messaging import Outcomes, try_messages

MOST_USERS = 1_000
"""Users of each cohort that are tried: a sample by the hash of their ids."""


def try_messages_of_members(session: Session, day: date) -> Outcomes:
    """Decide about the messages of some members of each cohort, each with some job.

    Args:
        session: Settings, lake and connection, with MEMBERS of `check_members`.
        day: The day of the campaign.
    """
    session.con.execute(
        "CREATE OR REPLACE TEMP TABLE tried_times "
        "(cohort VARCHAR, time_zone VARCHAR, send_at TIMESTAMPTZ)"
    )
    if rows := list(_times(session, day)):
        session.con.executemany("INSERT INTO tried_times VALUES (?, ?, ?)", rows)
    assignments = rendered(
        __package__,
        "tried_assignments",
        members=MEMBERS,
        users=session.lake.select(USERS),
        # A message about a job that has closed would not go; assignments have none of those.
        jobs=f"(SELECT * FROM {session.lake.select(JOBS)} WHERE closed_at IS NULL "
        f"OR closed_at >= {instant(day + ONE_DAY, session.settings.platform.time_zone)})",
        most=MOST_USERS,
    )
    return try_messages(session, f"({assignments})", day)


def _times(session: Session, day: date) -> Iterator[tuple[str, str | None, object]]:
    zones = session.con.execute(
        f"SELECT DISTINCT time_zone FROM {session.lake.select(USERS)}"
    ).fetchall()
    usual = session.settings.platform.time_zone
    for name, cohort in session.settings.cohorts.items():
        for (zone,) in zones:
            yield name, zone, send_time(day, cohort.send_time, zone, usual)
