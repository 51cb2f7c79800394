"""A loop reports its progress to its listeners."""

from __future__ import annotations

from datetime import date

from conversion_platform.days import DayRange
from conversion_platform.process import progress_listener, with_progress


def test_a_loop_says_before_each_item_and_at_its_end_how_many_are_done() -> None:
    heard: list[tuple[int, int, str]] = []
    with progress_listener(lambda *told: heard.append(told)):
        days = [
            (day.day, len(heard))
            for day in with_progress(DayRange(date(2026, 1, 1), date(2026, 1, 3)))
        ]
    assert days == [(1, 1), (2, 2), (3, 3)]
    assert heard == [(done, 3, "days") for done in range(4)]


def test_where_nobody_listens_a_loop_is_a_loop() -> None:
    heard: list[tuple[int, int, str]] = []
    with progress_listener(lambda *told: heard.append(told)):
        pass
    assert list(with_progress("abc")) == ["a", "b", "c"]
    assert heard == []
