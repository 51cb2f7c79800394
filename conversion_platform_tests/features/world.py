"""A marketplace small enough to reason about, put straight into a lake."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from conversion_platform.days import DayRange, day_of, day_start
from conversion_platform.features import build_features
from conversion_platform.lake import Lake, Session, Table, open_lake
from conversion_platform.marketplace.tables import ATTRIBUTES, EVENTS, JOBS, USERS, USERS_CONTACTS
from conversion_platform.messaging import SENT_MESSAGES
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.snapshots import keep

ZONE = "America/New_York"
Row = dict[str, Any]

ATTRIBUTE_ROWS: list[Row] = [
    {"table_name": "users", "column_name": "experience", "kind": "numeric", "used": True},
    {"table_name": "users", "column_name": "has_car", "kind": "boolean", "used": True},
    {"table_name": "users", "column_name": "last_login", "kind": "timestamp", "used": True},
    {"table_name": "users", "column_name": "language", "kind": "categorical", "used": True},
    {"table_name": "users", "column_name": "about", "kind": "text", "used": False},
    {"table_name": "jobs", "column_name": "remote", "kind": "boolean", "used": True},
]
USER_ATTRIBUTES = {
    "experience": "DOUBLE",
    "has_car": "BOOLEAN",
    "last_login": "TIMESTAMPTZ",
    "language": "VARCHAR",
    "about": "VARCHAR",
}
JOB_ATTRIBUTES = {"remote": "BOOLEAN"}


@dataclass
class World:
    """Rows of the source tables; what a row does not mention is NULL."""

    users: list[Row] = field(default_factory=list)
    jobs: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    attributes: list[Row] = field(default_factory=lambda: list(ATTRIBUTE_ROWS))

    def with_events(self, events: list[Row]) -> World:
        return replace(self, events=events)


def at(day: date, hours: float) -> datetime:
    """`hours` after the local midnight that begins `day`."""
    return day_start(day, ZONE) + timedelta(hours=hours)


def event(
    number: int,
    user: str,
    job: str,
    kind: str,
    when: datetime,
    known: datetime | None = None,
    channel: str | None = None,
    position: int | None = None,
) -> Row:
    return {
        "event_id": f"e{number:05d}",
        "user_id": user,
        "job_id": job,
        "event_type": kind,
        "occurred_at": when,
        "recorded_at": known or when,
        "channel": channel,
        "position": position,
    }


def message(
    number: int, user: str, planned: date, delivered: datetime | None, job: str = "j0"
) -> Row:
    return {
        "message_id": f"m{number:05d}",
        "user_id": user,
        "job_id": job,
        "dt": planned,
        "delivered_at": delivered,
    }


def fill(session: Session, world: World, days: DayRange) -> None:
    """Writes the world's tables; events go to the day on which they occurred."""
    _put(session, USERS, world.users, USER_ATTRIBUTES)
    _put(session, USERS_CONTACTS, world.users, {})
    _put(session, JOBS, world.jobs, JOB_ATTRIBUTES)
    keep(session)
    _put(session, ATTRIBUTES, world.attributes, {})
    fill_events(session, world.events, days)
    fill_messages(session, world.messages)


def fill_messages(session: Session, messages: Iterable[Row]) -> None:
    """Writes the messages of each campaign day that has any."""
    rows = list(messages)
    for day in sorted({row["dt"] for row in rows}):
        of_day = [row for row in rows if row["dt"] == day]
        query = _select(session.con, SENT_MESSAGES, of_day, {})
        session.lake.write(session.con, SENT_MESSAGES, query, day)


def fill_events(session: Session, events: Iterable[Row], days: DayRange) -> None:
    zone = session.settings.platform.time_zone
    dated = [{**row, "dt": day_of(row["occurred_at"], zone)} for row in events]
    query = _select(session.con, EVENTS, dated, {"dt": "DATE"})
    session.lake.write_days(session.con, EVENTS, query, days)


def _put(session: Session, table: Table, rows: list[Row], more: dict[str, str]) -> None:
    session.lake.write(session.con, table, _select(session.con, table, rows, more))


def _select(
    con: duckdb.DuckDBPyConnection, table: Table, rows: list[Row], more: dict[str, str]
) -> str:
    types = {column.name: column.type for column in table.columns} | more
    columns = {name: _array([row.get(name) for row in rows]) for name in types}
    con.register(f"world_{table.name}", pa.table(columns))
    casts = ", ".join(f'CAST("{name}" AS {type_}) AS "{name}"' for name, type_ in types.items())
    return f"SELECT {casts} FROM world_{table.name}"


def _array(values: list[Any]) -> pa.Array:
    if any(isinstance(value, datetime) for value in values):
        return pa.array(values, pa.timestamp("us", tz="UTC"))
    return pa.array(values)


def random_world(
    seed: int, days: DayRange, users: int, jobs: int, events: int, messages: int = 0
) -> World:
    """A world with every irregularity that features have to live with."""
    rng = random.Random(seed)
    return World(
        users=[_user(rng, n, days) for n in range(users)],
        jobs=[_job(rng, n, days) for n in range(jobs)],
        events=[_event(rng, n, users, jobs, days) for n in range(events)],
        messages=[_message(rng, n, users, days) for n in range(messages)],
    )


def _maybe(rng: random.Random, value: Any, missing: float = 0.2) -> Any:
    return None if rng.random() < missing else value


def _moment(rng: random.Random, first: date, last: date) -> datetime:
    start, end = at(first, 0), at(last, 24)
    seconds = rng.randrange(int((end - start).total_seconds()))
    return (start + timedelta(seconds=seconds)).astimezone(UTC)


def _user(rng: random.Random, number: int, days: DayRange) -> Row:
    joined = _moment(rng, days.first, days.last)
    skills = rng.sample(["cook", "Driver ", "clerk"], rng.randint(1, 2))
    return {
        "user_id": f"u{number}",
        "created_at": at(days.first, -500) if rng.random() < 0.6 else joined,
        "left_at": _maybe(rng, _moment(rng, days.first, days.last), 0.7),
        "region": _maybe(rng, rng.choice(["north", "south"])),
        "latitude": _maybe(rng, rng.uniform(40, 41)),
        "longitude": _maybe(rng, rng.uniform(-75, -74)),
        "desired_pay": _maybe(rng, round(rng.uniform(10, 30), 2)),
        "skills": _maybe(rng, " | ".join(skills)),
        "shift": _maybe(rng, rng.choice(["Day", "night", "any"])),
        "experience": _maybe(rng, rng.uniform(0, 9)),
        "has_car": _maybe(rng, rng.random() < 0.5),
        "last_login": _maybe(rng, _moment(rng, days.first, days.last)),
        "language": _maybe(rng, rng.choice(["en", "es", "fr"])),
        "about": "free text",
    }


def _job(rng: random.Random, number: int, days: DayRange) -> Row:
    opened = _moment(rng, days.first, days.last)
    return {
        "job_id": f"j{number}",
        "opened_at": at(days.first, -300) if rng.random() < 0.4 else opened,
        "closed_at": _maybe(rng, opened + timedelta(days=rng.uniform(1, 40)), 0.4),
        "employer_id": _maybe(rng, rng.choice(["acme", f"employer{number}"])),
        "category": _maybe(rng, rng.choice(["cook", "driver", "clerk", f"trade{number}"])),
        "region": _maybe(rng, rng.choice(["north", "south"])),
        "latitude": _maybe(rng, rng.uniform(40, 43)),
        "longitude": _maybe(rng, rng.uniform(-75, -74)),
        "pay": _maybe(rng, round(rng.uniform(10, 30), 2)),
        "shift": _maybe(rng, rng.choice(["day", "night"])),
        "openings": _maybe(rng, rng.randint(1, 5)),
        "remote": _maybe(rng, rng.random() < 0.5),
    }


def _event(rng: random.Random, number: int, users: int, jobs: int, days: DayRange) -> Row:
    when = _moment(rng, days.first, days.last)
    late = rng.choice([0, 0, 0, 0, 0.01, 1, 2, 4])
    kind = rng.choices(["impression", "click", "application", "hire"], [8, 3, 2, 1])[0]
    return event(
        number,
        f"u{rng.randrange(users)}",
        f"j{rng.randrange(jobs)}",
        kind,
        when,
        when + timedelta(days=late),
        rng.choice([None, "web", "text"]),
        rng.choice([None, 0, 1, 5, 15, 40]),
    )


def _message(rng: random.Random, number: int, users: int, days: DayRange) -> Row:
    planned = day_of(_moment(rng, days.first, days.last), ZONE)
    delivered = at(planned, rng.choice([0, 10, 23.99, 24, 30]))
    job = rng.choice(["j0", "j1", "j2"])
    return message(number, f"u{rng.randrange(users)}", planned, _maybe(rng, delivered), job)


def configured(
    folder: Path, more: str = "", start: date = date(2026, 2, 1)
) -> tuple[Lake, Settings]:
    """A lake in `folder`, and settings with `more` in their file."""
    file = folder / "conversion_platform.toml"
    file.write_text(f"[platform]\nstart_date = {start}\n{more}")
    settings = load_settings(file)
    return open_lake(settings), settings


def rows_of(
    setting: tuple[Lake, Settings], world: World, days: DayRange, table: Table, columns: str
) -> list[tuple[Any, ...]]:
    """Columns of one table of the features of `days`, built in `setting` from `world` alone."""
    lake, settings = setting
    with lake.connect() as con:
        fill(Session(settings, lake, con), world, DayRange(settings.platform.start_date, days.last))
        build_features(Session(settings, lake, con), days)
        return con.execute(f"SELECT {columns} FROM {lake.select(table, days)}").fetchall()
