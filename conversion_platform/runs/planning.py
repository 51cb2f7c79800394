"""What has to run, and in which order, so that the days asked for are done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from conversion_platform.days import ONE_DAY, DayRange, day_of, require_started
from conversion_platform.errors import NotReadyError
from conversion_platform.lake import Lake
from conversion_platform.settings import Settings


@dataclass(frozen=True)
class PlannedJob:
    """One job over a range of days.

    Attributes:
        job: Its name.
        days: Its days.
        why: Why it runs, for the progress display.
        tags: Tags of its run that say what it does anew.
    """

    job: str
    days: DayRange
    why: str
    tags: Mapping[str, str] = field(default_factory=dict)


def plan(lake: Lake, settings: Settings, days: DayRange, weekly: bool = False) -> list[PlannedJob]:
    """Return what has to run so that `days` are done: what they look back to, and a first champion.

    Args:
        lake: What is there already.
        settings: The settings in force.
        days: The days.
        weekly: Whether to train on each `training.train_weekday` among them, as the schedule does.

    Raises:
        NotReadyError: `days` start before the platform's first day, or end after today.
        TrainingError: there is no champion for them, and no day has matured for one.
    """
    from conversion_platform.training import champion

    require_runnable_days(settings, days)
    learn = champion(lake, days.first) is None
    steps = missing_history(lake, settings, days.first, learn, anew=learn)
    if learn:
        steps.append(PlannedJob("train", DayRange.of(days.first), "a champion for these days"))
    weekday = settings.training.train_weekday if weekly else None
    return [*steps, *daily_and_training_jobs(days, weekday, trained=learn)]


def plan_training(lake: Lake, settings: Settings, day: date) -> list[PlannedJob]:
    """Return what has to run so that a candidate is trained for `day`, and judged.

    Raises:
        NotReadyError: `day` is before the platform's first day, or after today.
        TrainingError: no day has matured by then.
    """
    from conversion_platform.training import champion

    require_runnable_days(settings, DayRange.of(day))
    anew = champion(lake, day) is None
    steps = missing_history(lake, settings, day, True, anew)
    return [
        *steps,
        PlannedJob("train", DayRange.of(day), "a candidate, champion if it is not worse"),
    ]


def require_runnable_days(settings: Settings, days: DayRange) -> None:
    """Make sure that days are neither before the platform's first day nor in the future.

    Raises:
        NotReadyError: some are.
    """
    require_started(days.first, settings.platform.start_date)
    today = day_of(datetime.now(UTC), settings.platform.time_zone)
    if days.last > today:  # with the replay clock too: no day after today has a partition
        raise NotReadyError(
            f"{days.last} lies in the future: today is {today} in {settings.platform.time_zone}.",
            "Ask for a day up to today.",
        )


def require_days_under_way(settings: Settings, days: DayRange) -> None:
    """Make sure that messages of all days may still be sent; with the replay clock they may.

    Raises:
        NotReadyError: one of the days is over.
    """
    today = day_of(datetime.now(UTC), settings.platform.time_zone)
    if settings.platform.clock == "wall" and days.first < today:
        raise NotReadyError(
            f"{days.first} is over: its messages stay as they are (today is {today} in "
            f"{settings.platform.time_zone}).",
            f"Give --replan with --from {today}; later days are planned with what is right now.",
        )


def missing_history(
    lake: Lake, settings: Settings, day: date, learn: bool, anew: bool
) -> list[PlannedJob]:
    """Return the checked tables and features before `day` that are missing.

    Args:
        lake: What is there already.
        settings: The settings in force.
        day: The day.
        learn: Whether a model is to learn from them.
        anew: Whether they are made again where they are there.
    """
    past = days_without_features(lake, settings, day, learn, anew)
    events = days_without_events(lake, settings, past.first if past else day, anew)
    steps = []
    if events:
        steps.append(PlannedJob("sources", events, "the events that features look back to"))
    if past:
        steps.append(PlannedJob("history", past, "checked tables and features to learn from"))
    return steps


def daily_and_training_jobs(
    days: DayRange, weekday: int | None, trained: bool
) -> Iterator[PlannedJob]:
    """Yield the days, cut where a training of the week comes in between.

    Args:
        days: The days.
        weekday: The weekday of the training; None for none.
        trained: Whether the first of the days has had a training.
    """
    first = days.first
    for day in days:
        if day.weekday() == weekday and not (trained and day == days.first):
            if day > first:
                yield _daily(DayRange(first, day - ONE_DAY))
            yield PlannedJob("train", DayRange.of(day), "the weekly training")
            first = day
    yield _daily(DayRange(first, days.last))


def _daily(days: DayRange) -> PlannedJob:
    return PlannedJob("daily", days, "the day" if len(days) == 1 else "the days")


def days_without_features(
    lake: Lake, settings: Settings, day: date, learn: bool, anew: bool
) -> DayRange | None:
    """Days before `day` to build features for: all to learn from, else those that runs left out.

    What is to be learned from is built anew until there is a champion: after a first run that
    failed, the source has probably been fixed.
    """
    from conversion_platform.features import RESPONSE_EFFECTS, USER_FEATURES
    from conversion_platform.training import training_days

    # Days of a release without effects have features, and nothing to learn from.
    complete = set(lake.days(USER_FEATURES)) & set(lake.days(RESPONSE_EFFECTS))
    have = set() if anew else complete
    first = training_days(settings, day).first if learn else min(have, default=day)
    return range_until(day, (one for one in days_before(day, first) if one not in have))


def days_without_events(lake: Lake, settings: Settings, day: date, anew: bool) -> DayRange | None:
    """Days to load events of that the features of `day` look back to: all of them if `anew`."""
    from conversion_platform.features import HISTORY_DAYS, event_days
    from conversion_platform.marketplace import EVENTS

    have = set() if anew else set(lake.days(EVENTS))
    looked_back_to = event_days(settings, DayRange.of(day), HISTORY_DAYS)
    first = max(looked_back_to.first, settings.platform.start_date)
    return range_until(day, (one for one in days_before(day, first) if one not in have))


def days_before(day: date, first: date) -> list[date]:
    """Return the days from `first` to the one before `day`."""
    return list(DayRange(first, day - ONE_DAY)) if first < day else []


def range_until(day: date, missing: Iterator[date]) -> DayRange | None:
    """From the first of the missing days to the one before `day`."""
    first = next(missing, None)
    return DayRange(first, day - ONE_DAY) if first else None
