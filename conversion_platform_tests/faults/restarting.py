"""Dagster's daemon in a process group of its own, to be killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from conversion_platform.runs.instance import open_instance
from conversion_platform_tests.command import CALL, environment
from conversion_platform_tests.tiny_platform import settings_in

SECONDS_TO_FREE = 120
"""In which a dead run's slot must be free."""


def start_daemon(folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start `conversion-platform daemon` on the folder's instance."""
    config = str(folder / "conversion_platform.toml")
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-c", CALL, "--config", config, "daemon"],
            cwd=folder,
            env=environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a daemon with its code server and its runs."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def daemon(folder: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the daemon meanwhile."""
    process = start_daemon(folder, log)
    try:
        yield process
    finally:
        kill_group(process)


def wait_for(condition: Callable[[], bool], seconds: float, log: Path) -> float:
    """Wait until something is true; return how many seconds it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + seconds:
            raise TimeoutError(log.read_text() if log.exists() else "no log")
        time.sleep(0.5)
    return time.monotonic() - began


def runs_of(folder: Path, *jobs: str) -> list[dg.DagsterRun]:
    """Return the runs of some jobs (of all if none is named), newest first."""
    with open_instance(settings_in(folder)) as instance:
        return [run for run in instance.get_runs() if not jobs or run.job_name in jobs]


def unfinished(folder: Path) -> list[dg.DagsterRun]:
    """Return the runs that are waiting or at work."""
    return [run for run in runs_of(folder) if not run.is_finished]
