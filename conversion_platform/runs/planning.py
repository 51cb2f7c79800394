"""What has to run, and in which order, so that the days asked for are done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from conversion_platform.days import ONE_DAY, DayRange, day_of, require_started
from conversion_platform.errors import NotReadyError
from conversion_platform.lake import Lake
from conversion_platform.settings import Settings


@dataclass(frozen=True)
class Step:
    """One job over a range of days."""

    job: str
    days: DayRange
    why: str


def plan(lake: Lake, settings: Settings, days: DayRange) -> list[Step]:
    """Return what has to run so that `days` are done: what they look back to, and a first champion.

    Raises:
        NotReadyError: `days` start before the platform's first day, or end after today.
        TrainingError: there is no champion for them, and no day has matured for one.
    """
    from conversion_platform.training import champion

    require_started(days.first, settings.platform.start_date)
    today = day_of(datetime.now(UTC), settings.platform.time_zone)
    if settings.platform.clock == "wall" and days.last > today:
        raise NotReadyError(
            f"{days.last} lies in the future: today is {today} in {settings.platform.time_zone}.",
            "Ask for a day up to today; the schedule runs each day in its morning.",
        )
    learn = champion(lake, days.first) is None
    past = days_without_features(lake, settings, days.first, learn)
    events = days_without_events(lake, settings, past.first if past else days.first, learn)
    steps = []
    if events:
        steps.append(Step("sources", events, "the events that features look back to"))
    if past:
        steps.append(Step("history", past, "checked tables and features to learn from"))
    if learn:
        steps.append(Step("train", DayRange.of(days.first), "a champion for these days"))
    return [*steps, Step("daily", days, "the day" if len(days) == 1 else "the days")]


def days_without_features(
    lake: Lake, settings: Settings, day: date, learn: bool
) -> DayRange | None:
    """Days before `day` to build features for: all to learn from, else those that runs left out.

    What is to be learned from is built anew until there is a champion: after a first run that
    failed, the source has probably been corrected.
    """
    from conversion_platform.features import USER_FEATURES
    from conversion_platform.training import training_days

    have = set() if learn else set(lake.days(USER_FEATURES))
    first = training_days(settings, day).first if learn else min(have, default=day)
    return up_to(day, (one for one in days_before(day, first) if one not in have))


def days_without_events(lake: Lake, settings: Settings, day: date, learn: bool) -> DayRange | None:
    """Days to load events of that the features of `day` look back to: all of them to learn from."""
    from conversion_platform.features import HISTORY_DAYS, event_days
    from conversion_platform.marketplace import EVENTS

    have = set() if learn else set(lake.days(EVENTS))
    looked_back_to = event_days(settings, DayRange.of(day), HISTORY_DAYS)
    first = max(looked_back_to.first, settings.platform.start_date)
    return up_to(day, (one for one in days_before(day, first) if one not in have))


def days_before(day: date, first: date) -> list[date]:
    """Return the days from `first` to the one before `day`."""
    return list(DayRange(first, day - ONE_DAY)) if first < day else []


def up_to(day: date, missing: Iterator[date]) -> DayRange | None:
    """From the first of the missing days to the one before `day`."""
    first = next(missing, None)
    return DayRange(first, day - ONE_DAY) if first else None
