"""A marketplace of any size, straight into a lake: the ground of the feature benchmark.

The simulator has a truth to be learned; this has none. It has what costs time: the right numbers
of users, jobs and events, skewed activity, slates, jobs that live for weeks, and late events.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness import world_folder
from conversion_platform.days import DayRange
from conversion_platform.lake import Lake, LocalStorage

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa

FIRST_DAY = date(2026, 1, 1)
ZONE = "America/New_York"
SLATE = 8
CATEGORIES = 12
REGIONS = 8
CLICK_RATE, CONVERSION_RATE = 0.10, 0.02
TEXT_SHARE = 0.2
"""Share of clicks and conversions that our messages caused, and of users who got one, a day."""
EVENTS_A_SLATE = SLATE * (1 + CLICK_RATE + CONVERSION_RATE)
MIDNIGHT_UTC = datetime(2026, 1, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """How large the world is."""

    users: int
    jobs: int
    events: int
    days: int

    @property
    def name(self) -> str:
        return f"features-{self.users}-{self.jobs}-{self.events}-{self.days}"


def make_world(size: Size) -> Path:
    """The folder of a world's lake, which is written once.

    Args:
        size: How many users, jobs, events and days.
    """
    folder = world_folder(size.name, Path(__file__))
    finished = folder / "finished"
    if not finished.exists():
        _write_world(Lake(LocalStorage(folder)), size)
        finished.touch()
    return folder


def _write_world(lake: Lake, size: Size) -> None:
    import numpy as np

    from conversion_platform.marketplace.tables import (
        ATTRIBUTES,
        EVENTS,
        JOBS,
        USERS,
        USERS_CONTACTS,
    )
    from conversion_platform.messaging import SENT_MESSAGES

    random = np.random.default_rng(5)
    jobs = _jobs(random, size)
    users = _users(random, size)
    weights = random.gamma(0.8, 1.0, size.users)
    weights /= weights.sum()
    # A day is written while the next one is made.
    with lake.connect() as con, ThreadPoolExecutor(1) as writer:
        people = users.pop("table")
        _write(lake, con, USERS_CONTACTS, people.select(["user_id", "latitude", "longitude"]))
        _write(lake, con, USERS, people.drop_columns(["latitude", "longitude"]))
        _write(lake, con, JOBS, jobs.pop("table"))
        _capture(lake, con)
        writing = writer.submit(_write, lake, con, ATTRIBUTES, _attributes())
        for offset in range(size.days):
            table = _events_of(random, size, users["region"], jobs, weights, offset)
            writing.result()
            day = FIRST_DAY + timedelta(days=offset)
            writing = writer.submit(_write, lake, con, EVENTS, table, day)
        writing.result()
        for offset in range(size.days):
            day = FIRST_DAY + timedelta(days=offset)
            _write(lake, con, SENT_MESSAGES, _messages(random, size, offset), day)


def _capture(lake: Lake, con: duckdb.DuckDBPyConnection) -> None:
    from conversion_platform.lake import Session
    from conversion_platform.marketplace import capture_both
    from conversion_platform.settings import load_settings

    capture_both(Session(load_settings(), lake, con), DayRange.of(FIRST_DAY))


def _write(
    lake: Lake, con: duckdb.DuckDBPyConnection, table: Any, rows: pa.Table, day: date | None = None
) -> None:
    con.register("_rows", rows)
    names = [
        f'CAST("{column.name}" AS {column.type}) AS "{column.name}"' for column in table.columns
    ]
    known = {column.name for column in table.columns}
    present = [
        part
        for part, column in zip(names, table.columns, strict=True)
        if column.name in rows.column_names
    ]
    missing = [
        f'CAST(NULL AS {column.type}) AS "{column.name}"'
        for column in table.columns
        if column.name not in rows.column_names
    ]
    further = [f'"{name}"' for name in rows.column_names if name not in known]
    lake.write(con, table, f"SELECT {', '.join(present + missing + further)} FROM _rows", day)
    con.unregister("_rows")


def _moments(seconds: np.ndarray) -> pa.Array:
    """Seconds since the first local midnight, as UTC time stamps."""
    import pyarrow as pa

    start = int(MIDNIGHT_UTC.timestamp())
    return pa.array((seconds.astype("int64") + start) * 1_000_000, pa.timestamp("us", tz="UTC"))


def _ids(prefix: str, codes: np.ndarray, digits: int = 6) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = _numbers(digits, 1 << int(codes.max()).bit_length())
    return pc.binary_join_element_wise(prefix, numbers.take(pa.array(codes)), "")


@cache
def _numbers(digits: int, count: int) -> pa.Array:
    """The first `count` numbers with leading zeros; a world asks for the same ones each day."""
    import numpy as np
    import pyarrow as pa

    return pa.array(np.char.zfill(np.arange(count).astype(str), digits))


def _users(random: np.random.Generator, size: Size) -> dict[str, Any]:
    import numpy as np
    import pyarrow as pa

    region = random.integers(0, REGIONS, size.users)
    skills = random.integers(0, CATEGORIES, (size.users, 2))
    table = pa.table(
        {
            "user_id": _ids("u", np.arange(size.users)),
            "created_at": _moments(random.integers(-90 * 86400, 20 * 86400, size.users)),
            "region": _ids("region_", region),
            "latitude": 30.0 + region + random.normal(0, 0.2, size.users),
            "longitude": -110.0 + 4 * region + random.normal(0, 0.2, size.users),
            "desired_pay": np.round(random.normal(20, 4, size.users), 2),
            "skills": [f"category_{a:06d}|category_{b:06d}" for a, b in skills],
            "shift": pa.array(["day", "night", "weekend"]).take(
                pa.array(random.integers(0, 3, size.users))
            ),
            "experience_years": random.integers(0, 20, size.users).astype("float64"),
        }
    )
    return {"table": table, "region": region}


def _jobs(random: np.random.Generator, size: Size) -> dict[str, Any]:
    import numpy as np
    import pyarrow as pa

    region = random.integers(0, REGIONS, size.jobs)
    opened = random.integers(-20, size.days, size.jobs)
    closed = opened + 5 + random.exponential(15, size.jobs).astype("int64")
    table = pa.table(
        {
            "job_id": _ids("j", np.arange(size.jobs)),
            "opened_at": _moments(opened * 86400 + 3600),
            "closed_at": _moments(closed * 86400 + 3600),
            "employer_id": _ids("e", random.integers(0, size.jobs // 10, size.jobs)),
            "category": _ids("category_", random.integers(0, CATEGORIES, size.jobs)),
            "region": _ids("region_", region),
            "latitude": 30.0 + region + random.normal(0, 0.2, size.jobs),
            "longitude": -110.0 + 4 * region + random.normal(0, 0.2, size.jobs),
            "pay": np.round(random.normal(20, 4, size.jobs), 2),
            "shift": pa.array(["day", "night", "weekend"]).take(
                pa.array(random.integers(0, 3, size.jobs))
            ),
            "remote": random.random(size.jobs) < 0.1,
        }
    )
    return {"table": table, "region": region, "opened": opened, "closed": closed}


def _events_of(
    random: np.random.Generator,
    size: Size,
    user_region: np.ndarray,
    jobs: dict[str, Any],
    weights: np.ndarray,
    offset: int,
) -> pa.Table:
    """One day's events: slates of jobs open in the user's region, and what followed at once."""
    import numpy as np

    slates = round(size.events / size.days / EVENTS_A_SLATE)
    shown_to = np.repeat(random.choice(size.users, slates, p=weights), SLATE)
    position = np.tile(np.arange(SLATE), slates)
    job = np.zeros(len(shown_to), dtype="int64")
    running = (jobs["opened"] < offset) & (jobs["closed"] > offset)
    for region in range(REGIONS):
        of_region = jobs["region"] == region
        pool = np.flatnonzero(of_region & running)
        pool = pool if len(pool) else np.flatnonzero(of_region)
        mine = user_region[shown_to] == region
        skewed = (random.random(mine.sum()) ** 2 * len(pool)).astype("int64")
        job[mine] = pool[skewed]
    second = np.repeat(random.integers(6 * 3600, 20 * 3600, slates), SLATE)
    clicked = np.flatnonzero(random.random(len(job)) < CLICK_RATE)
    converted = np.flatnonzero(random.random(len(job)) < CONVERSION_RATE)
    rows = np.concatenate([np.arange(len(job)), clicked, converted])
    kind = np.repeat([0, 1, 2], [len(job), len(clicked), len(converted)])
    return _event_table(
        random, offset, shown_to[rows], job[rows], kind, second[rows], position[rows]
    )


def _event_table(
    random: np.random.Generator,
    offset: int,
    user: np.ndarray,
    job: np.ndarray,
    kind: np.ndarray,
    second: np.ndarray,
    position: np.ndarray,
) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    occurred = offset * 86400 + second + kind * 600
    late = np.where(random.random(len(user)) < 0.02, 86400, 0)
    by_text = (kind > 0) & (random.random(len(user)) < TEXT_SHARE)
    return pa.table(
        {
            "event_id": _ids(f"{offset:03d}-", random.permutation(len(user)), 9),
            "user_id": _ids("u", user),
            "job_id": _ids("j", job),
            "event_type": pa.array(["impression", "click", "application"]).take(pa.array(kind)),
            "occurred_at": _moments(occurred),
            "recorded_at": _moments(occurred + late),
            "position": position.astype("int32"),
            "channel": pa.array(["recruiter", "text"]).take(pa.array(by_text.astype("int64"))),
        }
    )


def _messages(random: np.random.Generator, size: Size, offset: int) -> pa.Table:
    """One day's messages, some of which never arrived."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    user = np.flatnonzero(random.random(size.users) < TEXT_SHARE)
    second = offset * 86400 + random.integers(9 * 3600, 20 * 3600, len(user))
    lost = pa.array(random.random(len(user)) < 0.1)
    delivered = pc.if_else(lost, pa.scalar(None, pa.timestamp("us", tz="UTC")), _moments(second))
    return pa.table(
        {
            "message_id": _ids(f"{offset:03d}-", user),
            "user_id": _ids("u", user),
            "delivered_at": delivered,
        }
    )


def _attributes() -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "table_name": ["users", "jobs"],
            "column_name": ["experience_years", "remote"],
            "kind": ["numeric", "boolean"],
            "used": [True, True],
            "reason": ["", ""],
        }
    )
