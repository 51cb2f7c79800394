"""Training over several days, and with the days as the schedules would have run them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from conversion_platform.days import DayRange
from conversion_platform.runs.planning import PlannedJob, plan
from conversion_platform.training import candidate, champion
from conversion_platform_tests.tiny_platform import (
    LIVED,
    NEXT,
    THEN,
    CopyOf,
    differences,
    edit,
    lake_in,
    rows,
    run_job,
    settings_in,
)


@pytest.mark.slow
def test_a_training_over_several_days_trains_and_decides_for_each(copies: CopyOf) -> None:
    together, alone = copies("together"), copies("alone")
    for folder in (together, alone):
        edit(folder, "trees = 30", "trees = 31")  # a candidate that is not the champion already
        assert run_job(folder, "history", NEXT, THEN).success
    assert run_job(together, "train", NEXT, THEN).success
    for day in (NEXT, THEN):
        assert run_job(alone, "train", day).success
    assert differences(alone, together) == []
    trained = {day: candidate(lake_in(together), day) for day in (NEXT, THEN)}
    assert {day: version[:10] for day, version in trained.items()} == {
        NEXT: str(NEXT),
        THEN: str(THEN),
    }


def steps(folder: Path, days: DayRange, weekly: bool) -> list[tuple[str, str]]:
    found = plan(lake_in(folder), settings_in(folder), days, weekly)
    return [(step.job, str(step.days)) for step in found]


def test_a_range_is_run_as_the_schedules_would_have_where_that_is_asked_for(lived: Path) -> None:
    monday = date(2026, 2, 2)  # training.train_weekday; the 25th of January is a Sunday
    weeks = DayRange(LIVED, monday + timedelta(days=1))
    assert steps(lived, weeks, weekly=False) == [("daily", "2026-01-25..2026-02-03")]
    assert steps(lived, weeks, weekly=True) == [
        ("daily", "2026-01-25"),
        ("train", "2026-01-26"),
        ("daily", "2026-01-26..2026-02-01"),
        ("train", "2026-02-02"),
        ("daily", "2026-02-02..2026-02-03"),
    ]


def test_a_first_run_trains_once_on_a_training_day(lived: Path) -> None:
    lake, settings = lake_in(lived), settings_in(lived)
    monday = date(2026, 1, 19)
    found = plan(lake, settings, DayRange.of(monday), weekly=True)
    assert [step for step in found if step.job == "train"] == [
        PlannedJob("train", DayRange.of(monday), "a champion for these days")
    ]


@pytest.mark.slow
def test_weekly_trainings_take_the_place_of_the_champion_within_a_range(platform: Path) -> None:
    from conversion_platform.runs import run_days
    from conversion_platform_tests.tiny_platform import NoBars

    edit(platform, "trees = 30", "trees = 31")
    days = DayRange(LIVED, THEN)
    run_days(settings_in(platform), days, NoBars(), weekly=True)  # type: ignore[arg-type]
    lake = lake_in(platform)
    assert candidate(lake, NEXT)[:10] == str(NEXT)
    served = rows(platform, "SELECT DISTINCT dt, model_version FROM daily_predictions ORDER BY dt")
    assert served == [(day, champion(lake, day)) for day in days]
