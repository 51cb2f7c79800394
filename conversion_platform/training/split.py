"""Splits the matured days into windows to fit, to tune and to test the model.

Windows are split by time, with the newest for the test: with a random split a model would be fitted
on the day on which it is tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import ONE_DAY, DayRange, counted
from conversion_platform.errors import TrainingError

if TYPE_CHECKING:
    from conversion_platform.settings import Settings

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Three windows of impression days, one after the other.

    Attributes:
        note: How the windows differ from the settings because the data is too short; else empty.
    """

    train: DayRange
    validation: DayRange
    test: DayRange
    note: str = ""

    def windows(self) -> dict[str, DayRange]:
        """Return the windows by name, oldest first."""
        return {name: getattr(self, name) for name in SPLITS}


def training_days(settings: Settings, day: date) -> DayRange:
    """Return the impression days that a training run for `day` uses.

    The last one is the newest day whose attribution windows have all ended before `day` starts.

    Raises:
        TrainingError: no day has matured yet.
    """
    wanted = settings.training
    length = wanted.train_days + wanted.validation_days + wanted.test_days
    matured = DayRange.before(day - settings.events.attribution_window_days * ONE_DAY, length)
    start = settings.platform.start_date
    if matured.last < start:
        raise TrainingError(
            f"No impression has a matured label on {day}: the data starts on {start} and the "
            f"attribution window is {counted(settings.events.attribution_window_days)}.",
            "Train later, or shorten events.attribution_window_days.",
        )
    return DayRange(max(start, matured.first), matured.last)


def first_training_day(settings: Settings, first: date) -> date:
    """Return the first day for which a model can be trained.

    Args:
        settings: The settings in force.
        first: The first day with an impression.
    """
    return first + (len(SPLITS) + settings.events.attribution_window_days) * ONE_DAY


def split_days(settings: Settings, days: DayRange) -> Split:
    """Split `days` into windows that end at its last day.

    With fewer days than the settings ask for, each window is shortened in proportion, and the
    split has a note about it.

    Raises:
        TrainingError: fewer than 3 days, so that a window would be empty.
    """
    if len(days) < len(SPLITS):
        raise TrainingError(
            f"Only {counted(len(days), 'matured day')} with examples ({days}); training needs at "
            "least 3: one to fit, one to tune and one to test.",
            "Train later, load earlier events, or shorten events.attribution_window_days.",
        )
    wanted = settings.training
    asked = wanted.train_days + wanted.validation_days + wanted.test_days
    used = min(asked, len(days))
    test = _shrunk(wanted.test_days, asked, used)
    validation = _shrunk(wanted.validation_days, asked, used)
    if used - test - validation < 1:
        test = validation = 1
    tested = DayRange.before(days.last + ONE_DAY, test)
    validated = DayRange.before(tested.first, validation)
    fitted = DayRange.before(validated.first, used - test - validation)
    return Split(fitted, validated, tested, _note(asked, used))


def _shrunk(window: int, asked: int, used: int) -> int:
    return max(1, window * used // asked)


def _note(asked: int, used: int) -> str:
    if used == asked:
        return ""
    return (
        f"Only {counted(used)} of the {asked} asked for have matured: every window was shortened."
    )
