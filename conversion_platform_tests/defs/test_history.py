"""A run over a range of days: what Dagster's pages know of each day, and what it costs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.defs.lake_asset import asset_name
from conversion_platform.runs.bars import Progress
from conversion_platform.runs.execution import Finished, execute
from conversion_platform.runs.instance import open_instance
from conversion_platform.runs.planning import PlannedJob
from conversion_platform_tests.defs.looking import events
from conversion_platform_tests.tiny_platform import FIRST, LIVED, rows, settings_in, unrun

PAST = DayRange(FIRST, FIRST + 5 * ONE_DAY)
BY_DAY = (
    "events",
    "response_effects",
    "user_features",
    "job_features",
    "user_category_features",
)
SNAPSHOTS = ("users_history", "jobs_history")
WHOLE = ("users", "jobs", "attributes")


def history(folder: Path) -> tuple[Finished, list[Progress]]:
    """The first days of a platform that has run nothing, and what a watcher saw meanwhile."""
    seen: list[Progress] = []
    settings = settings_in(folder)
    with open_instance(settings) as instance:
        return execute(instance, settings, PlannedJob("history", PAST, ""), seen.append), seen


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished, list[Progress]]:
    folder = tmp_path_factory.mktemp("history") / "platform"
    unrun(folder)
    return folder, *history(folder)


def days_on_the_pages(folder: Path, asset: str) -> dict[date, dict[str, Any]]:
    """The figures of each day that an asset's page shows as materialised."""
    with open_instance(settings_in(folder)) as instance:
        found = instance.fetch_materializations(dg.AssetKey(asset), limit=1000).records
    return {
        date.fromisoformat(one.partition_key): {
            name: value.value for name, value in one.asset_materialization.metadata.items()
        }
        for one in reversed(found)
        if one.partition_key and one.asset_materialization
    }


@pytest.mark.parametrize("table", BY_DAY)
def test_each_day_of_a_range_is_on_the_assets_page_with_its_own_rows(
    made: tuple[Path, Finished, list[Progress]], table: str
) -> None:
    folder, _, _ = made
    shown = days_on_the_pages(folder, asset_name(table))
    assert list(shown) == list(PAST)
    counted = dict(rows(folder, f"SELECT dt, count(*) FROM {table} GROUP BY dt"))
    assert {day: figures["dagster/row_count"] for day, figures in shown.items()} == {
        day: counted.get(day, 0) for day in PAST
    }
    assert all(figures["bytes"] > 0 for figures in shown.values())


@pytest.mark.parametrize("asset", WHOLE)
def test_a_table_that_is_not_kept_by_day_has_the_figures_of_all_of_it_on_each_day(
    made: tuple[Path, Finished, list[Progress]], asset: str
) -> None:
    folder, _, _ = made
    shown = days_on_the_pages(folder, asset)
    assert list(shown) == list(PAST)
    ((count,),) = rows(folder, f"SELECT count(*) FROM {asset}")
    assert {figures["dagster/row_count"] for figures in shown.values()} == {count}


def test_nothing_is_written_for_each_day_before_the_first_step(
    made: tuple[Path, Finished, list[Progress]],
) -> None:
    folder, finished, _ = made
    planned = events(folder, finished.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    assert len(planned) == len(BY_DAY) + len(WHOLE) + len(SNAPSHOTS)


def test_a_run_over_one_day_belongs_to_that_day_on_the_pages(lived: Path) -> None:
    assert LIVED in days_on_the_pages(lived, "daily_predictions")


def test_a_watcher_sees_each_day_of_a_long_step(
    made: tuple[Path, Finished, list[Progress]],
) -> None:
    _, _, seen = made
    words = [progress.running for progress in seen]
    for what in ("days", "days recorded"):
        told = [word for word in words if word and word.startswith("features, ")]
        assert {f"features, {done} of 6 {what}" for done in range(7)} <= set(told)
    assert "users" in words
    shares = [progress.share for progress in seen]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert seen[-1].finished
    assert not seen[-2].finished
