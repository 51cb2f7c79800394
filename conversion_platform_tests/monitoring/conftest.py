"""The small world of the training tests, with a champion, a day's predictions and its report."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from conversion_platform.days import DayRange
from conversion_platform.inference import predict_days
from conversion_platform.lake import Session, open_lake
from conversion_platform.monitoring import DriftReport, drift_report
from conversion_platform.training import fit_candidate, promote
from conversion_platform_tests.training.conftest import made_once, settings, settings_in

__all__ = ["made_once", "settings"]


@dataclass(frozen=True)
class Watched:
    """A lake folder, the day that was watched in it, the champion, and the report."""

    folder: Path
    day: date
    champion: str
    report: DriftReport


@pytest.fixture(scope="session")
def watched_once(made_once: tuple[Path, date], tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Made once: Evidently takes seconds for a page."""
    source, day = made_once
    folder = tmp_path_factory.mktemp("watched-world")
    shutil.copytree(source / "lake", folder / "lake")
    chosen = settings_in(folder)
    lake = open_lake(chosen)
    with lake.connect() as con:
        version = fit_candidate(Session(chosen, lake, con), day).version
        promote(lake, version, day, "first")
        predict_days(Session(chosen, lake, con), DayRange.of(day), version)
        report = drift_report(Session(chosen, lake, con), day)
    return Watched(folder, day, version, report)


@pytest.fixture
def report(watched_once: Watched) -> DriftReport:
    """The report of the day, before anything has been changed."""
    return watched_once.report


@pytest.fixture
def champion(watched_once: Watched) -> str:
    """The version that has predicted the day."""
    return watched_once.champion


@pytest.fixture
def day(watched_once: Watched, tmp_path: Path) -> date:
    """The watched day; its world is put into the test's own lake."""
    shutil.copytree(watched_once.folder / "lake", tmp_path / "lake", dirs_exist_ok=True)
    return watched_once.day
