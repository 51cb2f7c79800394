"""Pruning removes what was overtaken, and the pages still show each partition's newest state."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from conversion_platform.runs import prune_instance
from conversion_platform.runs.instance import open_instance
from conversion_platform.runs.pruning import prune
from conversion_platform_tests.runs.many_runs import DEFS, later, run_once
from conversion_platform_tests.tiny_platform import digests, settings_in

DAY, NEXT = "2026-01-05", "2026-01-06"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "conversion_platform.toml").write_text("")
    with open_instance(settings_in(tmp_path), capture=True) as opened:
        yield opened


def runs(instance: dg.DagsterInstance) -> set[str]:
    return {run.run_id for run in instance.get_runs()}


def newest_state(instance: dg.DagsterInstance) -> dict[str, dict[str, object]]:
    """What an asset's page shows of each partition: when, by which run, with which metadata."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    found: dict[str, dict[str, object]] = {}
    for key in instance.get_asset_keys():
        ids = list(instance.get_latest_storage_id_by_partition(key, kind).values())
        records = instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=key, storage_ids=ids or [-1]), limit=1000
        ).records
        found[key.to_user_string()] = {
            str(one.partition_key): (
                one.run_id,
                one.timestamp,
                one.asset_materialization and one.asset_materialization.metadata,
            )
            for one in records
        }
    return found


def checked(instance: dg.DagsterInstance) -> list[tuple[str, str]]:
    key = dg.AssetCheckKey(dg.AssetKey("features"), "sound")
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
    return [(one.run_id, one.status.value) for one in history]


def test_what_was_overtaken_goes_and_every_partition_shows_the_same(
    instance: dg.DagsterInstance,
) -> None:
    first = run_once(instance, "daily", DAY)
    again = run_once(instance, "daily", DAY)
    failed = run_once(instance, "failing", DAY)
    sent = [run_once(instance, "send_texts", DAY) for _ in range(3)]
    other = run_once(instance, "daily", NEXT)
    before, checks = newest_state(instance), checked(instance)
    found = prune(instance, later())
    assert (found.runs, found.kept) == (4, 3)
    assert runs(instance) == {again, sent[-1], other}
    assert newest_state(instance) == before
    assert {run for run, _ in checks} == {first, again, other}
    assert checked(instance) == checks, "what checks found stays, whatever becomes of the run"
    assert instance.get_run_by_id(failed) is None
    assert instance.all_logs(other), "the page of a run that stays shows its steps"


def test_the_space_is_given_back(instance: dg.DagsterInstance) -> None:
    for _ in range(8):
        run_once(instance, "send_texts", DAY)
    home = Path(instance.root_directory)
    shards = home / "history/runs"
    index = (shards / "index.db").stat().st_size
    found = prune(instance, later())
    assert found.runs == 7
    assert found.bytes > 7 * 100_000
    assert len([file for file in shards.glob("*.db") if file.name != "index.db"]) == 1
    assert len(list((home / "storage").iterdir())) == 1, "what the steps printed"
    assert (shards / "index.db").stat().st_size <= index
    with closing(sqlite3.connect(shards / "index.db")) as con:
        assert con.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_what_is_younger_stays(instance: dg.DagsterInstance) -> None:
    run_once(instance, "send_texts", DAY)
    run_once(instance, "send_texts", DAY)
    found = prune(instance, datetime.now(UTC) - timedelta(days=1))
    assert (found.runs, found.kept) == (0, 0)
    assert len(runs(instance)) == 2


def test_a_run_that_has_not_ended_stays_however_old(instance: dg.DagsterInstance) -> None:
    job = DEFS.resolve_job_def("send_texts")
    going = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    waiting = instance.create_run_for_job(job, status=dg.DagsterRunStatus.NOT_STARTED)
    prune(instance, later())
    assert runs(instance) == {going.run_id, waiting.run_id}


def test_the_newest_success_of_a_job_stays_for_the_next_one_to_know_its_pace(
    instance: dg.DagsterInstance,
) -> None:
    first = run_once(instance, "send_texts", DAY)
    overtaken = run_once(instance, "send_texts", DAY)
    daily = run_once(instance, "daily", DAY)
    prune(instance, later())
    assert runs(instance) == {overtaken, daily}
    assert instance.get_run_by_id(first) is None


def test_pruning_twice_finds_nothing_more(instance: dg.DagsterInstance) -> None:
    for _ in range(2):
        run_once(instance, "send_texts", DAY)
    prune(instance, later())
    again = prune(instance, later())
    assert (again.runs, again.bytes) == (0, 0)


def test_a_database_in_use_is_left_as_it_is_and_named(instance: dg.DagsterInstance) -> None:
    for _ in range(3):
        run_once(instance, "send_texts", DAY)
    index = Path(instance.root_directory) / "history/runs/index.db"
    with closing(sqlite3.connect(index)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM event_logs").fetchone()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("conversion_platform.runs.pruning.VACUUM_SECONDS", 0.1)
            found = prune(instance, later())
    assert (found.runs, found.in_use) == (2, ("index.db",))
    assert len(runs(instance)) == 1


def tick(instance: dg.DagsterInstance, days_ago: int, state: InstigatorState) -> None:
    at = (datetime.now(UTC) - timedelta(days=days_ago)).timestamp()
    instance.create_tick(
        TickData(
            state.instigator_origin_id,
            "retrain_on_drift",
            InstigatorType.SENSOR,
            TickStatus.SKIPPED,
            at,
            selector_id=state.selector_id,
        )
    )


def test_old_ticks_go(instance: dg.DagsterInstance) -> None:
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="x"), "here")
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "r"), "retrain_on_drift")
    state = InstigatorState(
        origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData()
    )
    instance.add_instigator_state(state)
    for days_ago in (40, 31, 2):
        tick(instance, days_ago, state)
    assert prune(instance, datetime.now(UTC) - timedelta(days=30)).ticks == 2
    assert len(instance.get_ticks(state.instigator_origin_id, state.selector_id)) == 1


def test_neither_lake_nor_ledger_is_touched_and_the_platform_s_own_pages_stay(
    platform: Path,
) -> None:
    settings = settings_in(platform)
    before = digests(platform), digests(platform, "messaging")
    with open_instance(settings) as instance:
        shown = newest_state(instance)
    found = prune_instance(settings, later())
    assert found.runs == 0, "each run of a first day holds the newest state of something"
    with open_instance(settings) as instance:
        assert newest_state(instance) == shown
    assert (digests(platform), digests(platform, "messaging")) == before
