"""A run whose process died holds nothing: it is failed, its slot is free, its day is made."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus

from conversion_platform.liveness import lease_store
from conversion_platform.liveness.lease import decoded
from conversion_platform.runs.instance import open_instance
from conversion_platform_tests.command import call, ended, start, until
from conversion_platform_tests.faults.restarting import (
    SECONDS_TO_FREE,
    daemon,
    kill_group,
    launch,
    launch_backfill,
    pending_of,
    runs_of,
    settled,
    start_daemon,
    unfinished,
    wait_for,
)
from conversion_platform_tests.faults.test_killing import begun as step_begun
from conversion_platform_tests.faults.test_killing import run_files, same_as, strike, undo
from conversion_platform_tests.tiny_platform import (
    LIVED,
    NEXT,
    THEN,
    CopyOf,
    differences,
    digests,
    edit,
    run,
    settings_in,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
Status = dg.DagsterRunStatus


def calmed(folder: Path) -> Path:
    """The platform with no runs yet, whose drift asks for no training."""
    shutil.rmtree(folder / "dagster_home")
    edit(folder, "[schedule]", "[drift]\nmax_drifted_share = 1.0\n[schedule]")
    return folder


@pytest.fixture
def begun(copies: CopyOf) -> Path:
    """A platform whose day is yet to be run."""
    folder = calmed(copies("begun"))
    undo(folder, training=False)
    return folder


@pytest.fixture
def calm(begun: Path, tmp_path: Path) -> Path:
    """The same platform after its day, which nobody disturbed."""
    folder = shutil.copytree(begun, tmp_path / "calm")
    run(folder, LIVED)
    return folder


def status_of(folder: Path, run_id: str) -> Status:
    return next(run.status for run in runs_of(folder) if run.run_id == run_id)


def goes_on(folder: Path, dead: dg.DagsterRun, log: Path) -> None:
    """A daemon frees the slot of a dead run in time, and all that was begun ends well."""
    with daemon(folder, log):
        wait_for(lambda: status_of(folder, dead.run_id) == Status.FAILURE, SECONDS_TO_FREE, log)
        wait_for(lambda: settled(folder), 600, log)
    assert runs_of(folder)[0].status == Status.SUCCESS


def test_the_day_of_a_killed_command_is_made_by_the_daemon_that_starts_next(
    begun: Path, calm: Path, tmp_path: Path
) -> None:
    assert strike(begun, "daily_predictions", signal.SIGKILL)[0] == -signal.SIGKILL
    (dead,) = unfinished(begun)
    goes_on(begun, dead, tmp_path / "daemon.log")
    same_as(begun, calm)


def move_leases(folder: Path, host: str) -> None:
    """Let the leases say that their process runs on another host."""
    files = [
        *(folder / "dagster_home/leases").glob("*.lease"),
        folder / "lake/.staging/writer.lease",
    ]
    assert len(files) == 3
    for file in files:
        lease = decoded(file.read_bytes())
        assert lease is not None
        elsewhere = replace(lease.process, host=host)
        file.write_bytes(replace(lease, process=elsewhere).encoded())


def test_a_run_that_died_on_another_host_is_known_by_its_count(
    begun: Path, calm: Path, tmp_path: Path
) -> None:
    strike(begun, "features", signal.SIGKILL)
    (dead,) = unfinished(begun)
    move_leases(begun, "another-host")
    goes_on(begun, dead, tmp_path / "daemon.log")
    same_as(begun, calm)


def test_a_run_that_stood_still_fails_when_it_goes_on_and_changes_nothing(
    begun: Path, calm: Path, tmp_path: Path
) -> None:
    process = start(begun, "run", "--from", str(LIVED))
    before = run_files(begun)
    until(lambda: any(step_begun(f, "features") for f in run_files(begun) - before), process)
    process.send_signal(signal.SIGSTOP)
    (dead,) = unfinished(begun)
    goes_on(begun, dead, tmp_path / "daemon.log")
    after = digests(begun)
    process.send_signal(signal.SIGCONT)
    code, _, errors = ended(process)
    assert code == 1
    assert errors.count("was judged dead") == 1 and "Traceback" not in errors
    assert digests(begun) == after
    assert [run.status for run in runs_of(begun)] == [Status.SUCCESS, Status.FAILURE]
    same_as(begun, calm)


def test_the_next_command_does_what_a_killed_one_left_and_then_its_own(
    begun: Path, tmp_path: Path
) -> None:
    undisturbed = shutil.copytree(begun, tmp_path / "undisturbed")
    for day in (LIVED, NEXT):
        run(undisturbed, day)
    strike(begun, "daily_predictions", signal.SIGKILL)
    (dead,) = unfinished(begun)
    code, _, errors = call(begun, "status")
    assert code == 0
    assert f"Run {dead.run_id[:8]} of `daily` had died" in errors
    assert status_of(begun, dead.run_id) == Status.FAILURE
    assert call(begun, "status")[2] == ""
    run(begun, NEXT)
    assert pending_of(begun) == []
    assert differences(undisturbed, begun) == []


def test_the_same_command_again_does_not_do_its_day_twice(begun: Path, calm: Path) -> None:
    strike(begun, "daily_predictions", signal.SIGKILL)
    run(begun, LIVED)
    daily = [one.status for one in runs_of(begun, "daily")]
    assert daily == [Status.SUCCESS, Status.FAILURE]
    assert pending_of(begun) == []
    same_as(begun, calm)


def test_a_command_that_a_person_stops_is_not_asked_for_again(begun: Path) -> None:
    assert strike(begun, "daily_predictions", signal.SIGINT)[0] == 130
    assert pending_of(begun) == []
    assert list((begun / "dagster_home/leases").iterdir()) == []
    assert not (begun / "lake/.staging/writer.lease").exists()


def test_a_backfill_goes_on_after_the_daemon_was_killed_with_its_runs(
    begun: Path, tmp_path: Path
) -> None:
    run(begun, LIVED)
    undisturbed = shutil.copytree(begun, tmp_path / "undisturbed")
    run(undisturbed, NEXT, THEN)
    log = tmp_path / "daemon.log"
    process = start_daemon(begun, log)
    launch_backfill(begun, NEXT, THEN)
    wait_for(lambda: at_work(begun, "features"), 240, log)
    kill_group(process)
    with daemon(begun, log):
        wait_for(lambda: backfill(begun) != BulkActionStatus.REQUESTED, 600, log)
    assert backfill(begun) == BulkActionStatus.COMPLETED_SUCCESS
    assert differences(undisturbed, begun) == []


def backfill(folder: Path) -> BulkActionStatus:
    """Return the state of the newest backfill; its runs may follow one another."""
    with open_instance(settings_in(folder)) as instance:
        return instance.get_backfills(limit=1)[0].status


def at_work(folder: Path, step: str) -> bool:
    """Whether the newest run has begun a step."""
    newest = unfinished(folder)
    return bool(newest) and step_begun(
        folder / f"dagster_home/history/runs/{newest[0].run_id}.db", step
    )


@contextmanager
def held_up(folder: Path, run_id: str) -> Iterator[None]:
    """Let a run take long: its process stands still but for blinks in which it is seen alive."""
    lease = lease_store(folder / "dagster_home", run_id).read()
    assert lease is not None
    pid, over = lease.process.pid, threading.Event()

    def blink() -> None:
        while not over.wait(15):
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.3)
            os.kill(pid, signal.SIGSTOP)

    thread = threading.Thread(target=blink)
    os.kill(pid, signal.SIGSTOP)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        os.kill(pid, signal.SIGCONT)


def test_sending_goes_on_beside_a_long_training_and_the_day_waits_for_it(
    begun: Path, tmp_path: Path
) -> None:
    log = tmp_path / "daemon.log"
    run(begun, LIVED)
    with daemon(begun, log):
        launch(begun, "train", LIVED)
        wait_for(lambda: at_work(begun, "training_examples"), 240, log)
        (training,) = unfinished(begun)
        with held_up(begun, training.run_id):
            launch(begun, "daily", NEXT)
            launch(begun, "send_texts", LIVED)
            wait_for(lambda: succeeded(begun, "send_texts"), 240, log)
            assert status_of(begun, training.run_id) == Status.STARTED
            assert runs_of(begun, "daily")[0].status == Status.QUEUED
        wait_for(lambda: succeeded(begun, "train") and succeeded(begun, "daily"), 300, log)


def succeeded(folder: Path, job: str) -> bool:
    return runs_of(folder, job)[0].status == Status.SUCCESS
