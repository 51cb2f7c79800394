"""Events: those of a run's days, each on the day that it belongs to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from conversion_platform_tests.marketplace.reference.cells import FIRST, LAST
from conversion_platform_tests.marketplace.reference.checked import Checked, checked_rows
from conversion_platform_tests.marketplace.reference.files import Found, find
from conversion_platform_tests.marketplace.reference.settings import How
from conversion_platform_tests.marketplace.reference.verdict import RefusedError, Reject, Verdict

DAY = timedelta(days=1)


@dataclass(frozen=True)
class EventRules:
    """What decides of an event beside its own cells.

    Attributes:
        first: First day that the run asks for.
        last: Last day that the run asks for.
        zone: The platform's time zone.
        late_days: Calendar days that an event may arrive late.
        users: Ids of the checked users.
        jobs: Ids of the checked jobs.
        types: Event types that the settings name.
    """

    first: date
    last: date
    zone: str
    late_days: int
    users: Collection[str]
    jobs: Collection[str]
    types: tuple[str, ...] = ("impression", "click", "application")

    def writes(self, day: date | None) -> bool:
        """Return whether the run writes rows of this day, or of none."""
        return day is None or self.first - (self.late_days + 1) * DAY <= day <= self.last

    def reads(self, file: Found) -> bool:
        """Return whether the run needs a file: an event arrives on its day or some days later."""
        low = self.first - (self.late_days + 2) * DAY
        return file.day is None or low <= file.day <= self.last + self.late_days * DAY

    def local_day(self, time: datetime | None) -> date | None:
        """Return the local day of a time."""
        if time is None or not FIRST <= time < LAST:
            return None
        return time.astimezone(ZoneInfo(self.zone)).date()


def read_events(base: Path, how: How, rules: EventRules) -> Verdict:
    """Return what becomes of the rows of the events source.

    Raises:
        RefusedError: the source cannot be used.
    """
    kind, files = find(base, how)
    needed = [file for file in files if rules.reads(file)] or files[:1]
    found = checked_rows("events", kind, needed, how, rules.types)
    verdict = Verdict(rows=len(found.rows) + len(found.broken))
    if not verdict.rows:
        raise RefusedError("no row")
    for row in found.broken:
        _tell(verdict, rules, row.folder, Reject(row.source, row.number, "broken_line"))
    good = []
    for one in found.rows:
        day, problem = _placed(one, rules)
        if problem:
            _tell(verdict, rules, day, one.reject(problem))
        elif rules.writes(day):
            good.append(one)
        else:
            verdict.filtered += 1
    _keep_first_copies(good, verdict)
    return verdict


def _tell(verdict: Verdict, rules: EventRules, day: date | None, reject: Reject) -> None:
    if rules.writes(day):
        verdict.rejects.append(reject)
    else:
        verdict.filtered += 1


def _placed(one: Checked, rules: EventRules) -> tuple[date | None, tuple[str, str] | None]:
    """Return the day that an event belongs to, and why it is rejected."""
    problem = one.problem
    if problem is None and one.value("user_id") not in rules.users:
        problem = ("unknown_user", "user_id")
    if problem is None and one.value("job_id") not in rules.jobs:
        problem = ("unknown_job", "job_id")
    day = rules.local_day(one.value("occurred_at"))
    folder, recorded = one.row.folder, rules.local_day(one.value("recorded_at"))
    if day is None:
        return folder or recorded, problem
    if folder and day > folder + DAY:
        return folder, problem or ("wrong_folder", "occurred_at")
    arrived = max((one for one in (folder, recorded) if one), default=None)
    if arrived and arrived > day + rules.late_days * DAY:
        return arrived, problem or ("too_late", "occurred_at")
    return day, problem


def _keep_first_copies(good: list[Checked], verdict: Verdict) -> None:
    copies: dict[Any, list[Checked]] = {}
    for one in good:
        copies.setdefault(_identity(one), []).append(one)
    for group in copies.values():
        first, *others = sorted(
            group, key=lambda o: (_recorded(o), o.kept("occurred_at"), o.row.source, o.row.number)
        )
        verdict.accepted.append(_row(first))
        verdict.rejects += [other.reject(("duplicate_id", "event_id")) for other in others]


def _recorded(one: Checked) -> datetime:
    time: datetime = one.kept("recorded_at") or one.kept("occurred_at")
    return time


def _identity(one: Checked) -> tuple[Any, ...]:
    """Return the id of an event; without one all that its row says, except for its `dt=` folder."""
    given = one.kept("event_id")
    if given is not None:
        return ("id", given)
    values = [said.value for name, said in one.said.items() if name != "event_id"]
    return ("row", *values, *(text for name, text in one.further.items() if name != "dt_2"))


def _row(one: Checked) -> dict[str, Any]:
    values = {name: said.kept for name, said in one.said.items()}
    return {**values, "recorded_at": _recorded(one).astimezone(UTC)}
