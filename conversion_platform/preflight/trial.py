"""The data that checks are made on: what a day would be made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import PlatformError
from conversion_platform.features import HISTORY_DAYS, USER_FEATURES
from conversion_platform.lake import Lake, Session, open_lake
from conversion_platform.marketplace import (
    ATTRIBUTES,
    EVENTS,
    JOBS,
    JOBS_HISTORY,
    USERS,
    USERS_HISTORY,
    CheckedSources,
    Known,
    SourceReport,
    checked_sources,
)
from conversion_platform.settings import Settings
from conversion_platform.training import champion, known_attributes


@dataclass(frozen=True)
class Trial:
    """Checked tables to try a day on.

    Attributes:
        session: A session on a lake that has users, jobs, attributes, and the events that the
            features and the training of the day look back to.
        day: The day: the one after the newest event, or the first one asked for.
        learns: Whether a model has to be trained for the day, because there is none.
        asked: Whether the day was asked for.
        temporary: Whether the lake is a temporary one, to which features of the day may be
            written.
        report: What the sources contain; None for the installation's lake.
    """

    session: Session
    day: date
    learns: bool
    asked: bool
    temporary: bool
    report: SourceReport | None = None


@contextmanager
def loaded_trial(
    settings: Settings, day: date | None, learns: bool, today: date | None = None
) -> Iterator[tuple[CheckedSources, Trial]]:
    """Load the sources into a temporary lake; it exists as long as the block.

    Args:
        settings: The settings in force.
        day: The first day asked for; if None, the day after the newest event.
        learns: Whether there is no model yet.
        today: The day whose rows are wanted; see `load_users`.

    Raises:
        SourceError: a source cannot be read, or shows too few of those that were captured.
    """
    known, captured = known_of_lake(settings), _lake_with_snapshots(settings)
    with checked_sources(settings, known, today, captured) as checked:
        newest = checked.report.last_day or settings.platform.start_date
        tried = max(day or newest + ONE_DAY, settings.platform.start_date + ONE_DAY)
        checked.keep_events(_events_of(settings, tried))
        asked = tried == day
        yield checked, Trial(checked.session, tried, learns, asked, True, checked.report)


def known_of_lake(settings: Settings) -> Known:
    """Return the attributes that the champion of the installation's lake knows, if it has one."""
    try:
        lake = open_lake(settings)
        if champion(lake) is None:
            return {}
        with lake.connect(reading=True) as con:
            session = Session(settings, lake, con)
            return {table: known_attributes(session, table) for table in ("users", "jobs")}
    except PlatformError:
        return {}  # the checks of places say why the lake cannot be read


def _lake_with_snapshots(settings: Settings) -> Lake | None:
    """Return the installation's lake, if it can be read and users or jobs were captured."""
    try:
        lake = open_lake(settings)
        return lake if lake.days(USERS_HISTORY) or lake.days(JOBS_HISTORY) else None
    except PlatformError:
        return None  # as above


def _events_of(settings: Settings, day: date) -> DayRange:
    """Return the days of the events that the features and the training of a day look back to."""
    training = settings.training
    matured = training.train_days + training.validation_days + training.test_days
    length = max(
        HISTORY_DAYS + settings.events.late_days + 1,
        matured + settings.events.attribution_window_days,
    )
    days = DayRange.before(day, length)
    return DayRange(max(days.first, settings.platform.start_date), days.last)


def trial_of_lake(session: Session) -> Trial | None:
    """Return the newest day of the installation's lake with features; None if it has none.

    Args:
        session: A session on the lake, which is only read.
    """
    lake = session.lake
    days = lake.days(USER_FEATURES)
    if not days or not all(lake.exists(table) for table in (USERS, JOBS, ATTRIBUTES)):
        return None
    if not (lake.days(USERS_HISTORY) and lake.days(JOBS_HISTORY)):
        return None
    if not lake.days(EVENTS):
        return None
    return Trial(session, days[-1], learns=False, asked=False, temporary=False)
