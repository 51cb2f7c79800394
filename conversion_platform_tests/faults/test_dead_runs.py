"""A run whose process died holds nothing: it is failed, its slot is free, its day is made."""

from __future__ import annotations

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
from conversion_platform_tests.faults.test_killing import strike, undo, unharmed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


def test_the_day_of_a_killed_command_is_made_by_the_daemon_that_starts_next(
    platform: Path, lived: Path, tmp_path: Path
) -> None:
    undo(platform, training=False)
    assert strike(platform, "daily_predictions", signal.SIGKILL)[0] == -signal.SIGKILL
    (dead,) = unfinished(platform)
    log = tmp_path / "daemon.log"

    def is_failed() -> bool:
        return next(run for run in runs_of(platform) if run.run_id == dead.run_id).status == FAILURE

    with daemon(platform, log):
        wait_for(is_failed, SECONDS_TO_FREE, log)
        wait_for(lambda: runs_of(platform, "daily")[0].status == SUCCESS, 300, log)
    assert unfinished(platform) == []
    unharmed(platform, lived)
