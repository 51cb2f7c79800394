"""A run whose process died holds nothing: it is failed, its slot is free, its day is made."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import dagster as dg
import pytest

from conversion_platform_tests.faults.restarting import (
    SECONDS_TO_FREE,
    daemon,
    runs_of,
    unfinished,
    wait_for,
)
from conversion_platform_tests.faults.test_killing import same_as, strike, undo
from conversion_platform_tests.tiny_platform import LIVED, CopyOf, edit, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


@pytest.fixture
def begun(copies: CopyOf) -> Path:
    """A platform whose day is yet to be run, and whose drift asks for no training."""
    folder = copies("begun")
    shutil.rmtree(folder / "dagster_home")
    edit(folder, "[schedule]", "[drift]\nmax_drifted_share = 1.0\n[schedule]")
    undo(folder, training=False)
    return folder


@pytest.fixture
def calm(begun: Path, tmp_path: Path) -> Path:
    """The same platform after its day, which nobody disturbed."""
    folder = shutil.copytree(begun, tmp_path / "calm")
    run(folder, LIVED)
    return folder


def test_the_day_of_a_killed_command_is_made_by_the_daemon_that_starts_next(
    begun: Path, calm: Path, tmp_path: Path
) -> None:
    assert strike(begun, "daily_predictions", signal.SIGKILL)[0] == -signal.SIGKILL
    (dead,) = unfinished(begun)
    log = tmp_path / "daemon.log"

    def is_failed() -> bool:
        return next(run for run in runs_of(begun) if run.run_id == dead.run_id).status == FAILURE

    with daemon(begun, log):
        wait_for(is_failed, SECONDS_TO_FREE, log)
        wait_for(lambda: runs_of(begun, "daily")[0].status == SUCCESS, 300, log)
    assert unfinished(begun) == []
    same_as(begun, calm)
