"""Events that examples are made of, and the examples that they became."""

from __future__ import annotations

from datetime import date
from typing import Any

from conversion_platform.days import DayRange
from conversion_platform.lake import Session
from conversion_platform.settings import Settings
from conversion_platform.training import TRAINING_EXAMPLES
from conversion_platform_tests.training.world import START, Event, at

DAY = date(2026, 1, 15)
DAYS = DayRange(START, date(2026, 1, 14))
SHOWN = date(2026, 1, 8)


def rows(session: Session, day: date = DAY) -> list[dict[str, Any]]:
    """The examples of `day`, without features."""
    names = "user_id, job_id, day, shown_at, slate, position, clicked, converted, split"
    examples = session.lake.select(TRAINING_EXAMPLES, DayRange.of(day))
    table = session.con.sql(f"SELECT {names} FROM {examples} ORDER BY ALL")
    return [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]


def background(days: DayRange = DAYS) -> list[Event]:
    """One impression a day that leads to nothing, so that every window has a day."""
    return [Event("u0009", "j0009", "impression", at(day, 3.0)) for day in days]


def changed(settings: Settings, section: str, **values: Any) -> Settings:
    """The settings with some values of one section replaced."""
    part = getattr(settings, section).model_copy(update=values)
    return settings.model_copy(update={section: part})


def interest(days: DayRange = DAYS) -> list[Event]:
    """Clicks, some of which lead to an application, and no impression."""
    return [
        Event(f"u{user:04d}", f"j{(user * 3 + day.day) % 24:04d}", kind, at(day, 10 + user % 5))
        for day in days
        for user in range(12)
        for kind in ("click", "application")[: 1 + user % 2]
    ]
