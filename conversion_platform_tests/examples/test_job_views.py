"""The published views of a job board run through the real assets, from the file to the texts."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from conversion_platform.days import DayRange
from conversion_platform.inference import DAILY_PREDICTIONS
from conversion_platform.lake import Lake, open_lake
from conversion_platform.marketplace import EVENTS, REJECTED_EVENTS
from conversion_platform.messaging.tables import SENT_MESSAGES
from conversion_platform.runs import run_days
from conversion_platform.settings import load_settings
from conversion_platform.training import TRAINING_EXAMPLES, champion, load_card

PROJECT = Path(__file__).parents[2]
EXAMPLE = PROJECT / "examples/job_views/conversion_platform.toml"
DATA = PROJECT.parent / "shared/data/jobboard_views/Job_Views.csv.gz"
DAY = date(2014, 12, 10)

pytestmark = [
    pytest.mark.skipif(not DATA.exists(), reason="the published file is not here"),
    pytest.mark.timeout(900),  # half a minute alone; much longer where others use the machine
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The platform after one day, learned from what the file holds until then."""
    folder = tmp_path_factory.mktemp("job-views")
    shutil.copy(EXAMPLE, folder)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CONVERSION_PLATFORM__INPUTS__VIEWS__PATH", str(DATA))
        environment.setenv("DAGSTER_HOME", str(folder / "dagster_home"))
        settings = load_settings(folder / EXAMPLE.name)
        run_days(settings, DayRange.of(DAY))
    return open_lake(settings)


def _one(lake: Lake, query: str) -> tuple[Any, ...]:
    with lake.connect() as con:
        return tuple(con.execute(query).fetchall()[0])


@pytest.mark.slow
def test_every_view_until_the_day_is_an_event_or_a_reject(lake: Lake) -> None:
    accepted, rejected = (
        _one(lake, f"SELECT count(*) FROM {lake.select(table)}")[0]
        for table in (EVENTS, REJECTED_EVENTS)
    )
    assert accepted > 3000
    assert 0 < rejected < accepted / 100
    reasons = _one(lake, f"SELECT DISTINCT reason FROM {lake.select(REJECTED_EVENTS)}")
    assert reasons == ("duplicate_id",)


def test_a_champion_learned_from_views_and_from_drawn_jobs(lake: Lake) -> None:
    version = champion(lake)
    assert version is not None
    assert load_card(lake, version).label["negatives"] == "sampled"
    rows, drawn, converted = _one(
        lake,
        "SELECT count(*), count(*) FILTER (NOT clicked), count(*) FILTER (converted) "
        f"FROM {lake.select(TRAINING_EXAMPLES)}",
    )
    assert rows > drawn > rows / 2
    assert 0 < converted < rows - drawn


def test_predictions_are_kept_and_nobody_is_texted_without_a_phone(lake: Lake) -> None:
    assert _one(lake, f"SELECT count(*) FROM {lake.select(DAILY_PREDICTIONS)}")[0] > 1000
    states = _one(lake, f"SELECT DISTINCT state, reason FROM {lake.select(SENT_MESSAGES)}")
    assert states == ("suppressed", "no_phone")
