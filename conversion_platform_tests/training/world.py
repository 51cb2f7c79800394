"""A small marketplace written straight into the lake: users like jobs of their own kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from conversion_platform.days import ONE_DAY, DayRange, day_start
from conversion_platform.features import build_features
from conversion_platform.lake import Session, Table
from conversion_platform.marketplace.tables import ATTRIBUTES, EVENTS, JOBS, USERS
from conversion_platform_tests.snapshots import keep

if TYPE_CHECKING:
    pass

START = date(2026, 1, 1)
ZONE = "America/New_York"
KINDS = ("warehouse", "kitchen", "retail", "care")
SLATE = 6


@dataclass(frozen=True)
class Event:
    """One row of `events`."""

    user: str
    job: str
    kind: str
    at: datetime
    recorded: datetime | None = None
    position: int | None = None
    channel: str | None = None


def at(day: date, hour: float) -> datetime:
    """`hour` hours after the local start of `day` (UTC)."""
    return day_start(day, ZONE) + timedelta(hours=hour)


def put(session: Session, table: Table, rows: pa.Table) -> None:
    """Writes a table that is not daily; columns that the rows lack are NULL."""
    session.con.register("_rows", rows)
    query = f"SELECT * FROM ({table.empty_select()}) UNION ALL BY NAME SELECT * FROM _rows"
    session.lake.write(session.con, table, query)
    session.con.unregister("_rows")


def put_events(session: Session, events: list[Event], days: DayRange) -> None:
    """Writes the events into their local days; days without one get an empty partition."""
    moment = pa.timestamp("us", tz="UTC")
    rows = pa.table(
        {
            "event_id": pa.array([f"e{number:07d}" for number in range(len(events))], pa.string()),
            "user_id": pa.array([event.user for event in events], pa.string()),
            "job_id": pa.array([event.job for event in events], pa.string()),
            "event_type": pa.array([event.kind for event in events], pa.string()),
            "occurred_at": pa.array([event.at for event in events], moment),
            "recorded_at": pa.array([event.recorded or event.at for event in events], moment),
            "position": pa.array([event.position for event in events], pa.int32()),
            "channel": pa.array([event.channel for event in events], pa.string()),
        }
    )
    session.con.register("_events", rows)
    local_day = f"(occurred_at AT TIME ZONE '{ZONE}')::DATE AS dt"
    session.lake.write_days(session.con, EVENTS, f"SELECT *, {local_day} FROM _events", days)
    session.con.unregister("_events")


def put_people(session: Session, users: int = 60, jobs: int = 24) -> None:
    """Users and jobs of four kinds; everyone is there from the first day on."""
    opened = pa.array([at(START, -24.0)] * max(users, jobs), pa.timestamp("us", tz="UTC"))
    user = range(users)
    put(
        session,
        USERS,
        pa.table(
            {
                "user_id": [f"u{i:04d}" for i in user],
                "created_at": opened[:users],
                "region": [f"r{i % 2}" for i in user],
                "skills": [KINDS[i % 4] for i in user],
                "desired_pay": [15.0 + i % 5 for i in user],
            }
        ),
    )
    job = range(jobs)
    put(
        session,
        JOBS,
        pa.table(
            {
                "job_id": [f"j{i:04d}" for i in job],
                "opened_at": opened[:jobs],
                "category": [KINDS[i % 4] for i in job],
                "region": [f"r{i % 2}" for i in job],
                "pay": [14.0 + i % 7 for i in job],
                "title": [f"job {i}" for i in job],
            }
        ),
    )
    session.lake.write(session.con, ATTRIBUTES, ATTRIBUTES.empty_select())
    keep(session)


def random_events(
    days: DayRange, users: int = 60, jobs: int = 24, seed: int = 0, turn: int = 0
) -> list[Event]:
    """Slates in random order; a job of the user's own kind is clicked and applied for far more.

    What stands lower in the slate is looked at less.
    `turn` gives users the taste of another kind than the skill that they state.
    """
    generator = np.random.default_rng(seed)
    events = []
    for day in days:
        for user in np.flatnonzero(generator.random(users) < 0.6):
            for slot, job in enumerate(generator.permutation(jobs)[:SLATE]):
                pair = (f"u{user:04d}", f"j{job:04d}")
                shown = at(day, 9.0)
                events.append(Event(*pair, "impression", shown, position=slot))
                liked = (user + turn) % 4 == job % 4
                if generator.random() < (0.7 if liked else 0.08) / (1 + 0.3 * slot):
                    events.append(Event(*pair, "click", shown + timedelta(minutes=5)))
                    if generator.random() < (0.6 if liked else 0.2):
                        later = shown + timedelta(hours=float(generator.uniform(1, 40)))
                        events.append(Event(*pair, "application", later))
    return [event for event in events if event.at < at(days.last, 24.0)]


def small_world(session: Session, length: int = 24, seed: int = 0) -> date:
    """Source tables of `length` days, and features up to the first day after, which it returns."""
    days = DayRange(START, START + (length - 1) * ONE_DAY)
    put_people(session)
    put_events(session, random_events(days, seed=seed), days)
    build_features(session, days.widened(after=1))
    return days.last + ONE_DAY
