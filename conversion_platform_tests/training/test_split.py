"""Windows are cut by time, and only from days whose labels have matured."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion_platform.days import DayRange
from conversion_platform.errors import TrainingError
from conversion_platform.settings import Settings
from conversion_platform.settings.sections import EventsSection, PlatformSection, TrainingSection
from conversion_platform.training.split import split_days, training_days

DAY = date(2026, 6, 1)


def with_windows(train: int, validation: int, test: int, window: int = 3) -> Settings:
    return Settings(
        training=TrainingSection(train_days=train, validation_days=validation, test_days=test),
        events=EventsSection(attribution_window_days=window),
    )


def test_the_last_impression_day_is_the_newest_whose_window_ended_before_the_day() -> None:
    days = training_days(with_windows(42, 7, 7, window=3), DAY)
    # 28 May ends at 29 May 00:00; three days later it is 1 June 00:00.
    assert days == DayRange(date(2026, 4, 3), date(2026, 5, 28))


def test_days_before_the_start_of_the_data_are_not_asked_for() -> None:
    settings = Settings(platform=PlatformSection(start_date=date(2026, 5, 20)))
    assert training_days(settings, DAY).first == date(2026, 5, 20)


def test_a_day_before_anything_has_matured_is_refused_with_what_to_do() -> None:
    settings = Settings(platform=PlatformSection(start_date=date(2026, 5, 30)))
    with pytest.raises(TrainingError, match="attribution_window_days"):
        training_days(settings, DAY)


def test_enough_days_give_the_windows_that_the_settings_ask() -> None:
    split = split_days(with_windows(4, 2, 1), DayRange(DAY, DAY + timedelta(days=9)))
    assert split.windows() == {
        "train": DayRange(date(2026, 6, 4), date(2026, 6, 7)),
        "validation": DayRange(date(2026, 6, 8), date(2026, 6, 9)),
        "test": DayRange(date(2026, 6, 10), date(2026, 6, 10)),
    }
    assert split.note == ""


def test_two_days_cannot_be_split_and_the_message_says_so() -> None:
    with pytest.raises(TrainingError, match="at least 3"):
        split_days(with_windows(42, 7, 7), DayRange(DAY, DAY + timedelta(days=1)))


@given(
    train=st.integers(2, 60),
    validation=st.integers(1, 20),
    test=st.integers(1, 20),
    length=st.integers(3, 120),
)
def test_windows_are_adjacent_in_order_never_empty_and_end_at_the_last_day(
    train: int, validation: int, test: int, length: int
) -> None:
    days = DayRange(DAY, DAY + timedelta(days=length - 1))
    split = split_days(with_windows(train, validation, test), days)
    cut = [*split.train, *split.validation, *split.test]
    assert cut == [day for day in days if day >= split.train.first]
    assert min(len(split.train), len(split.validation), len(split.test)) >= 1
    assert bool(split.note) == (length < train + validation + test)
    assert len(cut) == min(length, train + validation + test)
