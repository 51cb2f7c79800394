"""The small world of the training tests, with a champion and a day's predictions."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from conversion_platform.days import DayRange
from conversion_platform.inference import predict_days
from conversion_platform.lake import Lake
from conversion_platform.settings import Settings
from conversion_platform.training import fit_candidate, promote
from conversion_platform_tests.training.conftest import day, made_once, settings

if TYPE_CHECKING:
    import duckdb

__all__ = ["champion", "day", "made_once", "settings"]


@pytest.fixture
def champion(con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, day: date) -> str:
    """A version that is the champion and has predicted `day`."""
    version = fit_candidate(con, lake, settings, day).version
    promote(lake, version, day, "first")
    predict_days(con, lake, settings, DayRange.of(day), version)
    return version
