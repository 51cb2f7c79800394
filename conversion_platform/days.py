"""Calendar days in the platform's time zone: the partition key of every daily table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from conversion_platform.errors import NotReadyError, SettingsError

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DayRange:
    """An inclusive range of calendar days.

    Raises:
        SettingsError: if `last` is before `first`.
    """

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise SettingsError(
                f"The range of days ends ({self.last}) before it starts ({self.first}).",
                "Give --from a day that is not after --to.",
            )

    @classmethod
    def of(cls, day: date) -> DayRange:
        """Return the range that holds one day."""
        return cls(day, day)

    @classmethod
    def spanning(cls, days: Sequence[date]) -> DayRange:
        """Return the smallest range that holds all of `days`."""
        return cls(min(days), max(days))

    @classmethod
    def before(cls, day: date, length: int) -> DayRange:
        """Return the `length` days before `day`."""
        return cls(day - length * ONE_DAY, day - ONE_DAY)

    def __iter__(self) -> Iterator[date]:
        day = self.first
        while day <= self.last:
            yield day
            day += ONE_DAY

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def widened(self, before: int = 0, after: int = 0) -> DayRange:
        """Return the range with `before` days added in front and `after` days behind."""
        return DayRange(self.first - before * ONE_DAY, self.last + after * ONE_DAY)

    def __str__(self) -> str:
        if self.first == self.last:
            return self.first.isoformat()
        return f"{self.first.isoformat()}..{self.last.isoformat()}"


def counted(days: int, what: str = "day") -> str:
    """Return a number of days in words: `1 day`, `1,200 days`."""
    return f"{days:,} {what}{'' if days == 1 else 's'}"


def require_started(day: date, start_date: date) -> None:
    """Make sure that a day is not before the platform's first.

    Raises:
        NotReadyError: it is.
    """
    if day < start_date:
        raise NotReadyError(
            f"{day} is before platform.start_date = {start_date}, where the data starts.",
            "Ask for a later day, or set platform.start_date to the first day of your events.",
        )


def day_start(day: date, zone: str) -> datetime:
    """Return the UTC instant at which calendar day `day` begins in `zone`."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def at_local_time(day: date, clock: time, zone: str) -> datetime:
    """Return the UTC instant of wall-clock time `clock` on `day` in `zone`."""
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


def day_of(moment: datetime, zone: str) -> date:
    """Return the calendar day of an aware `moment` in `zone`."""
    return moment.astimezone(ZoneInfo(zone)).date()


def offsets(days: DayRange, zone: str) -> list[tuple[datetime, int]]:
    """Return the zone's offsets during `days`: until when, and seconds east of Greenwich."""
    found: list[tuple[datetime, int]] = []
    start, end = day_start(days.first, zone), day_start(days.last + ONE_DAY, zone)
    step = timedelta(hours=6)  # no zone has changed its offset twice in that time
    while start < end:
        later = min(start + step, end)
        if _offset(later, zone) != _offset(start, zone):
            later = _change(start, later, zone)
        if not found or found[-1][1] != _offset(start, zone):
            found.append((later, _offset(start, zone)))
        else:
            found[-1] = (later, found[-1][1])
        start = later
    return found


def _offset(moment: datetime, zone: str) -> int:
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _change(before: datetime, after: datetime, zone: str) -> datetime:
    """Return the second at which the offset changes between two moments."""
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if _offset(middle, zone) == _offset(before, zone):
            before = middle
        else:
            after = middle
    return after
