"""The parameters of a simulated marketplace, and three predefined sizes."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import TypeAdapter

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import SettingsError

DriftKind = Literal["covariate", "prior", "concept", "latent", "nothing"]
Strength = Literal["weak", "middle", "strong"]

_KINDS = ("covariate", "prior", "concept", "latent", "nothing")
_STRENGTHS = ("weak", "middle", "strong")


@dataclass(frozen=True)
class Drift:
    """A change of the world from a given day.

    Attributes:
        kind: What changes (docs/simulator.md says what each kind does).
        day: First day of the change.
        strength: Size of its measured effect; ignored for `nothing`.
        over_days: Days until it is complete; 1 is abrupt.
    """

    kind: DriftKind
    day: date
    strength: Strength = "middle"
    over_days: int = 1

    def __post_init__(self) -> None:
        _require(self.kind in _KINDS, f"Drift.kind is {self.kind!r}", f"one of {_KINDS}")
        _require(self.strength in _STRENGTHS, f"strength is {self.strength!r}", f"{_STRENGTHS}")
        _require(self.over_days >= 1, f"over_days is {self.over_days}", "1 (abrupt) or more")

    def progress(self, day: date) -> float:
        """Return the share of the change that is complete on `day`: 0 before it, 1 at its end."""
        return min(1.0, max(0.0, ((day - self.day).days + 1) / self.over_days))


@dataclass(frozen=True)
class World:
    """The parameters of a simulated marketplace.

    Attributes:
        seed: Seed of every random stream; same seed, same bytes.
        users: Users who have joined by the end of the history.
        jobs: Jobs that have been open at some time of the history.
        metros: Number of metros of `geography.METROS`.
        history_days: Days that `build` publishes.
        start: First day of the history.
        slate: Jobs that a recruiter shows to a user on a day.
        activity: Mean probability that a user visits on a day.
        time_zone: IANA zone whose calendar days name the files.
        late_share: Share of events that are recorded 6 to 46 hours after they occurred.
        duplicate_share: Share of events that arrive twice under the same id.
        drifts: Changes of the world.
    """

    seed: int = 20260105
    users: int = 5_000
    jobs: int = 2_700
    metros: int = 8
    history_days: int = 90
    start: date = date(2026, 1, 5)
    slate: int = 8
    activity: float = 0.24
    time_zone: str = "America/New_York"
    late_share: float = 0.01
    duplicate_share: float = 0.001
    drifts: tuple[Drift, ...] = ()

    def __post_init__(self) -> None:
        _require(self.users >= 10, f"World.users is {self.users}", "10 or more")
        _require(self.jobs >= 10, f"World.jobs is {self.jobs}", "10 or more")
        _require(1 <= self.metros <= 8, f"World.metros is {self.metros}", "1 to 8")
        _require(self.history_days >= 1, f"history_days is {self.history_days}", "1 or more")
        _require(self.slate >= 1, f"World.slate is {self.slate}", "1 or more")
        days = [drift.day for drift in self.drifts]
        _require(days == sorted(days), "drifts are out of order", "drifts in order of their days")
        early = [day for day in days if day <= self.start]
        _require(not early, f"a drift begins on {early}", f"days after {self.start}, the first")
        _require(0 < self.activity <= 0.5, f"activity is {self.activity}", "above 0, at most 0.5")

    @classmethod
    def demo(cls, **changes: Any) -> World:
        """Return the demo's world, which runs in five minutes."""
        return dataclasses.replace(cls(), **changes)

    @classmethod
    def tiny(cls, **changes: Any) -> World:
        """Return a world for tests: a few hundred users, 25 days."""
        small = cls(users=400, jobs=150, metros=2, history_days=25)
        return dataclasses.replace(small, **changes)

    @classmethod
    def large(cls, **changes: Any) -> World:
        """Return a world of 100,000 users, 5,000 jobs, 180 days: about 20 million events."""
        big = cls(users=100_000, jobs=5_000, history_days=180, activity=0.175)
        return dataclasses.replace(big, **changes)

    @property
    def days(self) -> DayRange:
        """The days of the history."""
        return DayRange(self.start, self.day(self.history_days - 1))

    def day(self, index: int) -> date:
        """Return the calendar day with number `index`; 0 is the first day of the history."""
        return self.start + index * ONE_DAY

    def index(self, day: date) -> int:
        """Return the number of a calendar day."""
        return (day - self.start).days

    def to_json(self) -> str:
        """Return the world as JSON."""
        return json.dumps(dataclasses.asdict(self), default=str, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> World:
        """Read the world that `to_json` wrote."""
        return TypeAdapter(cls).validate_json(text)


def _require(holds: bool, problem: str, allowed: str) -> None:
    if not holds:
        raise SettingsError(f"The simulated world is invalid: {problem}.", f"Allowed: {allowed}.")
