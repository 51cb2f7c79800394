"""A look at the leases: dead runs are ended, what died is asked for again, live ones are left."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from conversion_platform.days import DayRange
from conversion_platform.definitions import build_defs
from conversion_platform.defs.liveness import automation
from conversion_platform.defs.liveness.automation import MOST_AGAIN
from conversion_platform.liveness import (
    Lease,
    Pending,
    PendingJob,
    lease_owners,
    lease_store,
    pending_in,
    save,
    this_process,
)
from conversion_platform.runs.instance_settings import INSTANCE_SETTINGS
from conversion_platform.settings import load_settings
from conversion_platform_tests.liveness.processes import elsewhere, ended_process, lease_of

Status = dg.DagsterRunStatus
DAY = date(2026, 1, 25)
ANEW = {"conversion_platform/refresh_snapshot": "2026-01-25"}


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance with our own settings."""
    from conversion_platform.runs.instance import open_instance

    file = tmp_path / "conversion_platform.toml"
    file.write_text("")
    with open_instance(load_settings(file)) as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "dagster_home"


def add_run(
    instance: dg.DagsterInstance,
    lease: Lease | None,
    status: Status = Status.STARTED,
    job: str = "daily",
    tags: dict[str, str] | None = None,
) -> str:
    """Record a run that is at work, with a lease."""
    first = (tags or {}).get("dagster/root_run_id")
    run = dg.DagsterRun(
        job_name=job,
        run_id=str(uuid.uuid4()),
        status=status,
        tags=tags or {},
        root_run_id=first,
        parent_run_id=first,
    )
    instance.add_run(run)
    if lease is not None:
        place = lease_store(Path(instance.root_directory), run.run_id)
        place.replace(replace(lease, owner=run.run_id)).close()
    return run.run_id


def end(instance: dg.DagsterInstance, run_id: str, failed: bool = False) -> None:
    """Let a run end by itself."""
    run = found(instance, run_id)
    if failed:
        instance.report_run_failed(run)
    else:
        kind = dg.DagsterEventType.RUN_SUCCESS.value
        event = dg.DagsterEvent(event_type_value=kind, job_name=run.job_name)
        instance.report_dagster_event(event, run_id=run_id)


def found(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRun:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run


def look(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorExecutionData:
    """One look of the sensor, as the daemon takes it."""
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, definitions=build_defs(load_settings())
    )
    sensor = build_defs(load_settings()).resolve_sensor_def("dead_runs")
    return sensor.evaluate_tick(context)


def statuses_in_looks(instance: dg.DagsterInstance, run_id: str, looks: int) -> list[Status]:
    """The run's status after each look in a row."""
    statuses, cursor = [], None
    for _ in range(looks):
        cursor = look(instance, cursor).cursor
        statuses.append(found(instance, run_id).status)
    return statuses


def test_a_run_whose_process_is_gone_is_failed_at_the_first_look_and_run_again(
    instance: dg.DagsterInstance, home: Path
) -> None:
    gone = add_run(instance, lease_of(ended_process()))
    alive = add_run(instance, lease_of(this_process()))
    look(instance)
    run = found(instance, gone)
    assert run.status == Status.FAILURE
    assert run.tags["dagster/will_retry"] == "true"
    assert run.tags["dagster/retry_strategy"] == "ALL_STEPS"
    assert found(instance, alive).status == Status.STARTED
    assert lease_owners(home) == [alive]
    (failure,) = instance.all_logs(gone, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert "This run died: process" in failure.message and "is run again" in failure.message


def test_a_run_elsewhere_that_stands_still_is_failed_at_the_fourth_look(
    instance: dg.DagsterInstance,
) -> None:
    run_id = add_run(instance, lease_of(elsewhere()))
    assert statuses_in_looks(instance, run_id, 4) == [Status.STARTED] * 3 + [Status.FAILURE]


@pytest.mark.slow
def test_a_slow_run_elsewhere_that_goes_on_counting_is_left_alone(
    instance: dg.DagsterInstance, home: Path
) -> None:
    lease = lease_of(elsewhere())
    run_id, cursor = add_run(instance, lease), None
    held = lease_store(home, run_id).replace(replace(lease, owner=run_id))
    for _ in range(12):
        held.confirm()
        cursor = look(instance, cursor).cursor
    assert found(instance, run_id).status == Status.STARTED
    assert held.kept()


def test_a_slow_run_of_this_host_is_left_alone_though_it_does_not_count(
    instance: dg.DagsterInstance,
) -> None:
    run_id = add_run(instance, lease_of(this_process()))
    assert statuses_in_looks(instance, run_id, 8) == [Status.STARTED] * 8


def test_a_run_that_dies_while_it_is_canceled_is_canceled(instance: dg.DagsterInstance) -> None:
    run_id = add_run(instance, lease_of(ended_process()), Status.CANCELING)
    look(instance)
    assert found(instance, run_id).status == Status.CANCELED
    assert "dagster/max_retries" not in found(instance, run_id).tags


@pytest.mark.parametrize("status", [Status.STARTING, Status.STARTED])
def test_a_run_that_dies_before_it_takes_a_lease_is_failed_at_the_fourth_look(
    instance: dg.DagsterInstance, status: Status
) -> None:
    run_id = add_run(instance, None, status)
    assert statuses_in_looks(instance, run_id, 4) == [status] * 3 + [Status.FAILURE]
    assert found(instance, run_id).tags["dagster/will_retry"] == "true"


def test_what_was_not_started_yet_is_no_run_at_work(instance: dg.DagsterInstance) -> None:
    run_id = add_run(instance, None, Status.NOT_STARTED)
    assert statuses_in_looks(instance, run_id, 6) == [Status.NOT_STARTED] * 6


@pytest.mark.slow
def test_a_run_of_a_release_without_leases_is_failed_when_its_steps_stand_still(
    instance: dg.DagsterInstance,
) -> None:
    run_id = add_run(instance, None)
    step = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.STEP_START.value, job_name="daily", step_key="users"
    )
    instance.report_dagster_event(step, run_id=run_id)
    statuses = statuses_in_looks(instance, run_id, 20)
    assert statuses == [Status.STARTED] * 19 + [Status.FAILURE]


def test_one_that_dies_each_time_is_asked_for_three_times_until_the_daemon_starts_anew(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = add_run(instance, lease_of(ended_process()))
    cursor = look(instance).cursor
    retried = [found(instance, first).tags["dagster/will_retry"]]
    tags = {"dagster/root_run_id": first, "dagster/parent_run_id": first}
    for _ in range(MOST_AGAIN + 1):
        run_id = add_run(instance, lease_of(ended_process()), tags=tags)
        if len(retried) == MOST_AGAIN + 1:
            monkeypatch.setattr(automation, "process_of", lambda _: "another daemon")
        cursor = look(instance, cursor).cursor
        retried.append(found(instance, run_id).tags["dagster/will_retry"])
    assert retried == ["true"] * MOST_AGAIN + ["false", "true"]


def test_the_leases_of_runs_that_have_ended_are_removed(
    instance: dg.DagsterInstance, home: Path
) -> None:
    done = add_run(instance, lease_of(ended_process()))
    end(instance, done)
    lease_store(home, "live").replace(lease_of(this_process(), "live")).close()
    lease_store(home, "dead").replace(lease_of(ended_process(), "dead")).close()
    look(instance)
    assert lease_owners(home) == ["live"]


def left_by_a_dead_command(home: Path) -> Pending:
    days = DayRange(date(2026, 1, 5), DAY)
    steps = [PendingJob("history", days), PendingJob("daily", DayRange.of(DAY), ANEW)]
    lease_store(home, "command").replace(lease_of(ended_process(), "command")).close()
    save(home, Pending("command", tuple(steps)))
    return Pending("command", tuple(steps))


def requested(data: dg.SensorExecutionData) -> list[dg.RunRequest]:
    return list(data.run_requests or ())


def test_what_a_dead_command_was_to_run_is_asked_for_step_by_step(
    instance: dg.DagsterInstance, home: Path
) -> None:
    left_by_a_dead_command(home)
    (history,) = requested(look(instance))
    assert (history.job_name, history.partition_key) == ("history", None)
    assert history.tags["dagster/asset_partition_range_start"] == "2026-01-05"
    assert history.tags["dagster/asset_partition_range_end"] == "2026-01-25"
    run_id = add_run(instance, lease_of(this_process()), job="history", tags=dict(history.tags))
    assert requested(look(instance)) == []
    end(instance, run_id)
    (daily,) = requested(look(instance))
    assert (daily.job_name, daily.partition_key) == ("daily", "2026-01-25")
    assert ANEW.items() <= daily.tags.items() and not ANEW.items() <= history.tags.items()
    end(instance, add_run(instance, None, tags=dict(daily.tags)))
    assert requested(look(instance)) == []
    assert pending_in(home) == [] and lease_owners(home) == []


def test_a_step_that_was_under_way_when_the_command_died_is_asked_for_again(
    instance: dg.DagsterInstance, home: Path
) -> None:
    pending = left_by_a_dead_command(home)
    died = add_run(instance, lease_of(ended_process()), job="history", tags=pending.tags)
    (again,) = requested(look(instance))
    assert again.job_name == "history"
    assert found(instance, died).status == Status.FAILURE
    assert found(instance, died).tags["dagster/will_retry"] == "false"  # asked for once, not twice


def test_a_step_that_was_done_when_the_command_died_is_not_asked_for(
    instance: dg.DagsterInstance, home: Path
) -> None:
    pending = left_by_a_dead_command(home)
    end(instance, add_run(instance, None, job="history", tags=pending.tags))
    assert [one.job_name for one in requested(look(instance))] == ["daily"]


@pytest.mark.parametrize("how", ["failed", "canceled"])
def test_a_step_that_failed_by_itself_or_was_canceled_ends_it(
    instance: dg.DagsterInstance, home: Path, how: str
) -> None:
    pending = left_by_a_dead_command(home)
    run_id = add_run(instance, None, job="history", tags=pending.tags)
    if how == "failed":
        end(instance, run_id, failed=True)
    else:
        instance.report_run_canceled(found(instance, run_id))
    assert requested(look(instance)) == []
    assert pending_in(home) == []


def test_what_a_live_command_has_yet_to_run_is_its_own(
    instance: dg.DagsterInstance, home: Path
) -> None:
    left_by_a_dead_command(home)
    lease_store(home, "command").replace(lease_of(this_process(), "command")).close()
    assert requested(look(instance)) == []
    assert len(pending_in(home)) == 1


def test_the_instance_takes_our_settings(instance: dg.DagsterInstance, home: Path) -> None:
    assert (home / "dagster.yaml").read_text("utf-8") == INSTANCE_SETTINGS
    assert instance.run_retries_enabled and instance.run_retries_max_retries == 0
