"""Source files of a marketplace with a long and thin history: many days, few events on each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.days import ONE_DAY, DayRange

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

FIRST_DAY = date(2020, 1, 1)
JOBS, REGIONS, CATEGORIES, LISTED = 4000, 16, 12, 8
SHARE_CLICKED, SHARE_HIRED = 0.25, 0.08
NEW_YORK = timezone(timedelta(hours=-5))
CONFIGURATION = """
[platform]
start_date = {first}
clock = "replay"
[sources.events]
path = "source/events.parquet"
[training]
train_days = {train}
validation_days = 60
test_days = 60
trees = 50
[cohorts.everyone]
where = "user_impressions_28d >= 0"
"""


@dataclass(frozen=True)
class Size:
    """How much there is.

    Attributes:
        days: Days of history before the day that is run.
        events: In all of them together.
        users: Who joined on the way.
    """

    days: int
    events: int
    users: int

    @property
    def history(self) -> DayRange:
        return DayRange(FIRST_DAY, FIRST_DAY + (self.days - 1) * ONE_DAY)

    @property
    def day(self) -> date:
        """The day that is run."""
        return self.history.last + ONE_DAY


def write_sources(folder: Path, size: Size) -> None:
    """Write settings and source files below `folder`."""
    import numpy as np
    import pyarrow.parquet as pq

    random = np.random.default_rng(7)
    source = folder / "source"
    source.mkdir(parents=True)
    configuration = CONFIGURATION.format(first=FIRST_DAY, train=max(2, size.days))
    (folder / "conversion_platform.toml").write_text(configuration)
    joined = np.sort(random.integers(0, size.days * 86400, size.users))
    pq.write_table(_users(random, joined), source / "users.parquet")
    opened = np.sort(random.integers(-30 * 86400, size.days * 86400, JOBS))
    pq.write_table(_jobs(random, opened), source / "jobs.parquet")
    pq.write_table(_events(random, size, joined, opened), source / "events.parquet")


def _moments(seconds: np.ndarray) -> pa.Array:
    """Seconds after the first day's midnight as UTC time stamps."""
    import pyarrow as pa

    midnight = int(datetime.combine(FIRST_DAY, datetime.min.time(), NEW_YORK).timestamp())
    return pa.array((seconds.astype("int64") + midnight) * 1_000_000, pa.timestamp("us", tz="UTC"))


def _names(prefix: str, codes: np.ndarray) -> list[str]:
    return [f"{prefix}{code:06d}" for code in codes]


def _users(random: np.random.Generator, joined: np.ndarray) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    number = np.arange(len(joined))
    return pa.table(
        {
            "user_id": _names("u", number),
            "created_at": _moments(joined),
            "region": _names("r", number % REGIONS),
            "time_zone": ["America/New_York"] * len(number),
            "desired_pay": np.round(random.normal(20, 4, len(number)), 2),
        }
    )


def _jobs(random: np.random.Generator, opened: np.ndarray) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    number = np.arange(JOBS)
    return pa.table(
        {
            "job_id": _names("j", number),
            "opened_at": _moments(opened),
            "closed_at": _moments(opened + random.integers(20, 60, JOBS) * 86400),
            "title": [f"Helper {code}" for code in number],
            "employer_id": _names("e", random.integers(0, JOBS // 10, JOBS)),
            "category": _names("c", number % CATEGORIES),
            "region": _names("r", random.integers(0, REGIONS, JOBS)),
            "pay": np.round(random.normal(20, 4, JOBS), 2),
        }
    )


def _events(
    random: np.random.Generator, size: Size, joined: np.ndarray, opened: np.ndarray
) -> pa.Table:
    """Lists of jobs that are open, shown to users who have joined, and what followed."""
    import numpy as np
    import pyarrow as pa

    lists = round(size.events / (LISTED * (1 + SHARE_CLICKED + SHARE_HIRED)))
    second = np.sort(random.integers(joined[size.users // 100], size.days * 86400, lists))
    user = (random.random(lists) * np.searchsorted(joined, second)).astype("int64")
    newest = np.searchsorted(opened, second).repeat(LISTED)
    job = np.maximum(newest - 1 - (random.random(len(newest)) ** 2 * 60).astype("int64"), 0)
    user, second = user.repeat(LISTED), second.repeat(LISTED)
    clicked = np.flatnonzero(random.random(len(job)) < SHARE_CLICKED)
    hired = np.flatnonzero(random.random(len(job)) < SHARE_HIRED)
    rows = np.concatenate([np.arange(len(job)), clicked, hired])
    kind = np.repeat([0, 1, 2], [len(job), len(clicked), len(hired)])
    return pa.table(
        {
            "event_id": _names("x", np.arange(len(rows))),
            "user_id": _names("u", user[rows]),
            "job_id": _names("j", job[rows]),
            "event_type": pa.array(("impression", "click", "application")).take(pa.array(kind)),
            "occurred_at": _moments(second[rows] + kind * 600),
            "position": np.tile(np.arange(LISTED), lists)[rows].astype("int32"),
        }
    )
