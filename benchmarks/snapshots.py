"""A year of daily snapshots of users, of which some change each day: what it takes to keep them.

The world has 100,000 users with all contract columns and two attributes; each day 1 % of them
change pay, place or shift, and 0.05 % join. Each day is captured from the checked tables, as
the daily run does. `year_vs_one_snapshot` is the size of all files over that of one snapshot of
all users; `read_vs_users` what reading the users as the last day saw them takes, over reading as
many rows of `users`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.harness import Bound, conduct, run_child, scratch_folder  # noqa: E402
from conversion_platform.days import DayRange  # noqa: E402
from conversion_platform.lake import Lake, Session, Table, open_session  # noqa: E402
from conversion_platform.marketplace import (  # noqa: E402
    USERS,
    USERS_CONTACTS,
    USERS_HISTORY,
    as_of,
    attribute_types,
    capture,
)
from conversion_platform.settings import CONFIG_NAME, load_settings  # noqa: E402

FIRST_DAY = date(2026, 1, 1)


@dataclass(frozen=True)
class Size:
    """How many users there are, for how many days."""

    users: int
    days: int


FULL = Size(users=100_000, days=365)
QUICK = Size(users=20_000, days=60)


def main() -> None:
    """Keep a year of snapshots, or print the run that is kept."""
    conduct("snapshots", __doc__ or "", measured, bounds)


def bounds(_: Mapping[str, Any], quick: bool) -> list[Bound]:
    """Return what is asked; small files weigh more at the small size."""
    return [Bound("year_vs_one_snapshot", most=3 if quick else 6)]


def measured(quick: bool) -> dict[str, Any]:
    """Return the figures of the world."""
    size = QUICK if quick else FULL
    with TemporaryDirectory(dir=scratch_folder("snapshots")) as folder:
        child = run_child(Path(__file__), folder, str(size.users), str(size.days))
    return {**child.answer, "peak_gib": child.peak_gib, "users": size.users, "days": size.days}


def keep_a_year(folder: Path, size: Size) -> dict[str, float]:
    """Capture each day; return bytes and seconds."""
    settings = folder / CONFIG_NAME
    settings.write_text('[platform]\ntime_zone = "UTC"\n')
    with open_session(load_settings(settings)) as session:
        session.con.execute(_first_users(size))
        seconds = []
        for number in range(size.days):
            if number:
                session.con.execute(_changed_users(size, number))
            for table in (USERS, USERS_CONTACTS):
                _write(session, table)
            began = time.perf_counter()
            day = FIRST_DAY + timedelta(days=number)
            capture(session, USERS_HISTORY, DayRange.of(day))
            seconds.append(time.perf_counter() - began)
        return {**_bytes(session.lake), **_reading(session, size), "capture_seconds": seconds[-1]}


def _write(session: Session, table: Table) -> None:
    names = [column.name for column in table.columns]
    further = ["experience", "has_car"] if table == USERS else []
    columns = ", ".join([*names, *further])
    lacking = table.empty_select()
    session.lake.write(
        session.con,
        table,
        f"SELECT {columns} FROM (SELECT * FROM people UNION ALL BY NAME {lacking})",
    )


def _first_users(size: Size) -> str:
    return f"CREATE TEMP TABLE people AS {_people(0, size.users, 0)}"


def _people(first: int, count: int, day: int) -> str:
    return f"""
        SELECT 'u' || i AS user_id,
            TIMESTAMPTZ '2025-01-01' + to_seconds((hash(i) % 31536000)::BIGINT) + INTERVAL {day} DAY
                AS created_at,
            'America/New_York' AS time_zone,
            ['NY', 'NJ', 'CT', 'PA'][(1 + hash(i, 1) % 4)::INTEGER] AS state,
            'metro ' || hash(i, 2) % 40 AS region,
            40 + (hash(i, 3) % 1000000) / 1e6 AS latitude,
            -74 + (hash(i, 4) % 1000000) / 1e6 AS longitude,
            15 + hash(i, 5) % 200 / 10 AS desired_pay,
            'cook|waiter' AS skills,
            ['day', 'night', 'any'][(1 + hash(i, 6) % 3)::INTEGER] AS shift,
            TIMESTAMPTZ '2025-06-01' + to_seconds((hash(i, 7) % 10000000)::BIGINT) AS consent_at,
            'web form' AS consent_source,
            (hash(i, 8) % 30)::DOUBLE AS experience,
            hash(i, 9) % 2 = 0 AS has_car
        FROM range({first}, {first + count}) AS t(i)"""


def _changed_users(size: Size, day: int) -> str:
    joined = size.users // 2000

    def changes(column: str) -> str:
        return f"hash(user_id, {day}) % 100 = 0 AND hash(user_id, {day}, 1) % 3 = {column}"

    return f"""
        CREATE OR REPLACE TEMP TABLE people AS
        SELECT * REPLACE (
            CASE WHEN {changes("0")} THEN desired_pay + 0.5 ELSE desired_pay END AS desired_pay,
            CASE WHEN {changes("1")} THEN latitude + 0.01 ELSE latitude END AS latitude,
            CASE WHEN {changes("2")} THEN 'any' ELSE shift END AS shift
        )
        FROM people
        UNION ALL BY NAME {_people(size.users + day * joined, joined, day)}"""


def _bytes(lake: Lake) -> dict[str, float]:
    sizes = [lake.storage.size(lake.key(USERS_HISTORY, day)) for day in lake.days(USERS_HISTORY)]
    return {
        "year_vs_one_snapshot": sum(sizes) / sizes[0],
        "snapshot_bytes": sizes[0],
        "year_bytes": sum(sizes),
    }


def _reading(session: Session, size: Size) -> dict[str, float]:
    last = FIRST_DAY + timedelta(days=size.days - 1)
    attributes = attribute_types(session, USERS_HISTORY)
    seen = as_of(session.lake, USERS_HISTORY, last, attributes)
    of_day, of_users = _seconds(session, seen), _seconds(session, session.lake.select(USERS))
    return {"read_vs_users": of_day / of_users, "read_seconds": of_day}


def _seconds(session: Session, rows: str) -> float:
    times = []
    for _ in range(3):
        began = time.perf_counter()
        session.con.execute(f"CREATE OR REPLACE TEMP TABLE found AS SELECT * FROM {rows}")
        times.append(time.perf_counter() - began)
    return min(times)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        answer = keep_a_year(Path(sys.argv[1]), Size(int(sys.argv[2]), int(sys.argv[3])))
        print(json.dumps(answer))
    else:
        main()
