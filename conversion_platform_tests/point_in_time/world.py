"""A marketplace in which everything happens at, or a microsecond beside, one day's midnight."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path

from conversion_platform.applications.job_of_the_day import JOB_OF_THE_DAY
from conversion_platform.days import ONE_DAY, DayRange, day_of, day_start
from conversion_platform.features import build_features
from conversion_platform.lake import Session, open_session
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.applications.job_of_the_day.world import write_predictions
from conversion_platform_tests.features.world import Row, World, event, fill
from conversion_platform_tests.inference.marketplace import rows_query

WINDOW_DAYS = 3
BEFORE_DAYS = 7
INSTANT = timedelta(microseconds=1)
LONG_AGO = timedelta(days=-100)
STEADY, ALWAYS, QUIET = "steady", "always", "a-quiet-one"

TOML = """
[platform]
time_zone = "{zone}"
start_date = {first}
[features]
folder = "own"
[events]
negatives = "sampled"
negatives_per_positive = 1000
late_days = 10
[training]
attribution = "any" # else no job would be drawn of those that everybody reacts to
[cohorts.all]
where = "true"
"""
OWN = """-- level: user
SELECT d.dt, e.user_id, count(*) AS seen
FROM days AS d JOIN events AS e ON e.known_at < d.as_of GROUP BY ALL
"""


@dataclass(frozen=True)
class Known:
    """One conversion of a user and a job that have no other event."""

    number: int
    occurred: datetime
    recorded: datetime

    @property
    def user(self) -> str:
        return f"e{self.number:03d}"

    @property
    def job(self) -> str:
        return f"k{self.number:03d}"

    @property
    def pair(self) -> tuple[str, str]:
        return self.user, self.job


@dataclass(frozen=True)
class Stay:
    """A user who was there, or a job that was open, from a moment to another."""

    name: str
    start: datetime
    end: datetime | None


@dataclass
class Boundary:
    """What happens around the midnight that begins `day` in `zone`.

    Attributes:
        day: The day, D.
        zone: The platform's time zone.
        further: A distance from midnight beside those that are always tried.
    """

    day: date
    zone: str
    further: timedelta
    events: list[Known] = field(init=False)
    users: list[Stay] = field(init=False)
    jobs: list[Stay] = field(init=False)

    def __post_init__(self) -> None:
        moments = sorted({-INSTANT, timedelta(0), INSTANT, self.further})
        happened = [(BEFORE_DAYS - 1) * -ONE_DAY, -2 * ONE_DAY, -INSTANT, timedelta(0)]
        pairs = [(a, b) for a, b in product(happened, [*happened, *moments]) if a <= b]
        self.events = [
            Known(number, self.as_of + a, self.as_of + b)
            for number, (a, b) in enumerate(dict.fromkeys(pairs))
        ]
        stays = list(product([LONG_AGO, *moments], [None, *moments, ONE_DAY]))
        self.users = self._stays("u", stays)
        self.jobs = self._stays("j", stays)

    def _stays(self, kind: str, stays: list[tuple[timedelta, timedelta | None]]) -> list[Stay]:
        return [
            Stay(f"{kind}{number:03d}", self.as_of + a, None if b is None else self.as_of + b)
            for number, (a, b) in enumerate(stays)
            if b is None or a <= b
        ]

    @property
    def as_of(self) -> datetime:
        """The midnight."""
        return day_start(self.day, self.zone)

    @property
    def noon(self) -> datetime:
        """When everybody reacts to every job, on the day itself."""
        return self.as_of + timedelta(hours=12)

    @property
    def history(self) -> DayRange:
        """The days that have features."""
        return DayRange(self.day - BEFORE_DAYS * ONE_DAY, self.day)

    @property
    def events_until(self) -> DayRange:
        """The days that have events: enough for labels of the day itself to mature."""
        return self.history.widened(after=WINDOW_DAYS)

    def settings(self, folder: Path) -> Settings:
        (folder / "own").mkdir()
        (folder / "own" / "own_events.sql").write_text(OWN)
        file = folder / "conversion_platform.toml"
        file.write_text(TOML.format(zone=self.zone, first=self.history.first))
        return load_settings(file)

    def rows(self) -> World:
        """The source tables."""
        long_ago = self.as_of + LONG_AGO
        users = [Stay(STEADY, long_ago, None), *self.users]
        users += [Stay(one.user, long_ago, None) for one in self.events]
        jobs = [Stay(name, long_ago, None) for name in (ALWAYS, QUIET)]
        jobs += [*self.jobs, *(Stay(one.job, long_ago, None) for one in self.events)]
        return World(
            [{"user_id": u.name, "created_at": u.start, "left_at": u.end} for u in users],
            [
                {"job_id": j.name, "opened_at": j.start, "closed_at": j.end, "category": "cook"}
                for j in jobs
            ],
            list(self._events()),
            [],
        )

    def _events(self) -> Iterator[Row]:
        """Give what is being tried, and what makes users active and days usable for training."""
        tried = [(*one.pair, one.occurred, one.recorded) for one in self.events]
        # Boundary users are active: they reacted a week ago, as far as anybody knew then.
        active = self.as_of - 5 * ONE_DAY
        tried += [(user.name, ALWAYS, active, active) for user in self.users]
        for day in self.history:
            noon = day_start(day, self.zone) + timedelta(hours=12)
            tried.append((STEADY, ALWAYS, noon, noon))
        tried += [(STEADY, job.name, self.noon, self.noon) for job in self.jobs]
        for number, (user, job, occurred, recorded) in enumerate(tried):
            yield event(number, user, job, "application", occurred, recorded)


@contextmanager
def lived(boundary: Boundary, folder: Path) -> Iterator[Session]:
    """Open a lake that holds the marketplace, the features up to the day, and predictions."""
    with open_session(boundary.settings(folder)) as session:
        fill(session, boundary.rows(), boundary.events_until)
        build_features(session, boundary.history)
        ranked = {one.user: [(one.job, 0.9), (ALWAYS, 0.1)] for one in boundary.events}
        write_predictions(session, boundary.day, ranked)
        yield session


def assign_all(session: Session, boundary: Boundary) -> DayRange:
    """Assign each tried pair an hour before its event (nobody is texted); return the days."""
    by_day: dict[date, list[Row]] = {}
    for one in boundary.events:
        send_at = one.occurred - timedelta(hours=1)
        by_day.setdefault(day_of(send_at, boundary.zone), []).append(
            {
                "assignment_id": one.user,
                "user_id": one.user,
                "job_id": one.job,
                "arm": "holdout",
                "send_at": send_at,
            }
        )
    for day, rows in by_day.items():
        query = f"SELECT * EXCLUDE (dt) FROM ({rows_query(JOB_OF_THE_DAY, rows)})"
        session.lake.write(session.con, JOB_OF_THE_DAY, query, day)
    return DayRange.spanning(list(by_day))
