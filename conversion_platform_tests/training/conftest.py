"""Settings, and a small world with its examples, made once and copied for each test."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conversion_platform.lake import Lake, Session, open_lake
from conversion_platform.settings import Settings, load_settings
from conversion_platform.training import build_examples
from conversion_platform_tests.training.examples import DAY, DAYS, background, rows
from conversion_platform_tests.training.world import Event, put_events, small_world

if TYPE_CHECKING:
    import duckdb

# One thread: with more, XGBoost's threads wait for each other where tests share the cores.
WINDOWS = """
[platform]
start_date = 2026-01-01
threads = 1
[training]
train_days = 12
validation_days = 4
test_days = 4
max_examples = 100000
trees = 40
"""


def settings_in(folder: Path) -> Settings:
    """Windows that fit the small world."""
    file = folder / "conversion_platform.toml"
    file.write_text(WINDOWS)
    return load_settings(file)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, date]:
    """The small world with features and examples, and the day of its training."""
    folder = tmp_path_factory.mktemp("small-world")
    chosen = settings_in(folder)
    lake = open_lake(chosen)
    with lake.connect() as con:
        day = small_world(Session(chosen, lake, con))
        build_examples(Session(chosen, lake, con), day)
    return folder, day


@pytest.fixture
def day(made_once: tuple[Path, date], tmp_path: Path, settings: Settings) -> date:
    """The small world in the test's own lake; returns the day of its training."""
    source, day = made_once
    shutil.copytree(source / "lake", tmp_path / "lake", dirs_exist_ok=True)
    return day


@pytest.fixture
def build(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, day: date
) -> Any:
    """Builds the examples of DAY from events (features: the small world's) and returns the rows."""

    def built(events: list[Event], chosen: Settings = settings) -> list[dict[str, Any]]:
        put_events(session, background() + events, DAYS)
        build_examples(Session(chosen, lake, con), DAY)
        return [row for row in rows(session) if row["user_id"] != "u0009"]

    return built


@pytest.fixture
def sampled(tmp_path: Path) -> Settings:
    """Settings for a source that logs no impressions."""
    file = tmp_path / "sampled.toml"
    file.write_text(WINDOWS + '[events]\nnegatives = "sampled"\nnegatives_per_positive = 4\n')
    return load_settings(file)
