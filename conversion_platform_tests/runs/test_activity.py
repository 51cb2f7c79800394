"""What a backup and a restore see of the runs of an instance."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from conversion_platform.liveness import Lease, Process, lease_store, leases_of, this_process
from conversion_platform.runs import instance_in_use, run_activity
from conversion_platform.runs.activity import RunActivity
from conversion_platform.runs.instance import open_instance
from conversion_platform_tests.runs.many_runs import DEFS, run_once
from conversion_platform_tests.tiny_platform import settings_in

DAY = "2026-01-05"
JOB = DEFS.resolve_job_def("send_texts")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "conversion_platform.toml").write_text("")
    with open_instance(settings_in(tmp_path)) as opened:
        yield opened


@pytest.mark.parametrize("status", ["STARTING", "STARTED", "CANCELING"])
def test_a_run_that_may_write_is_named_with_its_job(
    instance: dg.DagsterInstance, status: str
) -> None:
    run = instance.create_run_for_job(JOB, status=dg.DagsterRunStatus[status])
    found = RunActivity(instance).under_way()
    assert found is not None
    assert found.startswith(f"run {run.run_id} of job send_texts is under way, since ")


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "CANCELED", "NOT_STARTED"])
def test_a_run_that_has_ended_or_not_begun_is_no_hindrance(
    instance: dg.DagsterInstance, status: str
) -> None:
    instance.create_run_for_job(JOB, status=dg.DagsterRunStatus[status])
    assert RunActivity(instance).under_way() is None


def test_the_mark_changes_with_a_run_that_came_and_went(instance: dg.DagsterInstance) -> None:
    activity = RunActivity(instance)
    before = activity.mark()
    assert activity.mark() == before
    run_once(instance, "send_texts", DAY)
    assert activity.under_way() is None
    assert activity.mark() != before


def test_the_mark_changes_with_an_older_run_that_went_on(instance: dg.DagsterInstance) -> None:
    older = instance.create_run_for_job(JOB)
    run_once(instance, "send_texts", DAY)
    before = RunActivity(instance).mark()
    instance.report_run_failed(older)
    assert RunActivity(instance).mark() != before


def beat(instance: dg.DagsterInstance, seconds_ago: float) -> None:
    at = datetime.now(UTC).timestamp() - seconds_ago
    instance.add_daemon_heartbeat(DaemonHeartbeat(at, "SENSOR", "one", []))


def test_a_daemon_is_seen_by_its_heartbeat(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    assert instance_in_use(settings_in(tmp_path)) is None
    beat(instance, 300)
    assert instance_in_use(settings_in(tmp_path)) is None
    beat(instance, 20)
    found = str(instance_in_use(settings_in(tmp_path)))
    assert re.search(r"daemon is running, or was 2\d seconds ago", found)


def test_an_installation_without_an_instance_gets_none_by_being_looked_at(tmp_path: Path) -> None:
    (tmp_path / "conversion_platform.toml").write_text("")
    with run_activity(settings_in(tmp_path)) as activity:
        assert (activity.under_way(), activity.mark(), activity.daemon()) == (None, "", None)
    assert not (tmp_path / "dagster_home").exists()


def test_a_command_between_two_of_its_runs_is_under_way(instance: dg.DagsterInstance) -> None:
    home = Path(instance.root_directory)
    with leases_of(home, "a-command", "`run` of 2026-01-05..2026-01-09"):
        found = str(RunActivity(instance).under_way())
    assert found.startswith("`run` of 2026-01-05..2026-01-09 (process ")
    assert found.endswith("is under way")
    assert RunActivity(instance).under_way() is None


def test_the_lease_that_an_ended_run_or_a_dead_command_left_is_no_hindrance(
    instance: dg.DagsterInstance,
) -> None:
    home = Path(instance.root_directory)
    ended = run_once(instance, "send_texts", DAY)
    with leases_of(home, ended, "a run", keep=True):
        pass
    gone = Process("elsewhere", "another boot", "space", 1, 1)
    lease_store(home, "dead").replace(Lease("dead", "`run`", replace(this_process(), started=-1)))
    assert RunActivity(instance).under_way() is None
    lease_store(home, "far").replace(Lease("far", "`run` far away", gone))
    assert "far away" in str(RunActivity(instance).under_way()), "nothing is known of that process"
