"""Dagster's daemon in a process group of its own, to be killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import dagster as dg

from conversion_platform.days import DayRange
from conversion_platform.definitions import build_defs
from conversion_platform.defs.automation import DAILY
from conversion_platform.liveness import Pending, pending_in
from conversion_platform.runs.instance import open_instance
from conversion_platform.runs.servers import WORKSPACE
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


def launch(folder: Path, job: str, day: date) -> None:
    """Have the daemon run a job for a day, as a person does on its page."""
    words = ["job", "launch", "-w", str(WORKSPACE), "-j", job]
    tags = json.dumps({"dagster/partition": day.isoformat()})
    done = subprocess.run(
        [sys.executable, "-m", "dagster", *words, "--tags", tags],
        cwd=folder,
        env=daemons_environment(folder),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr


def launch_backfill(folder: Path, first: date, last: date) -> None:
    """Have the daemon fill a range of days with what is daily, as a person does on the pages."""
    defs = build_defs(settings_in(folder))
    keys = DAILY.selection.resolve(defs.resolve_asset_graph())
    days = json.dumps([day.isoformat() for day in DayRange(first, last)])
    assets = ", ".join(f"{{path: {json.dumps(key.path)}}}" for key in sorted(keys))
    mutation = (
        f"mutation {{ launchPartitionBackfill(backfillParams: {{assetSelection: [{assets}], "
        f"partitionNames: {days}}}) {{ __typename ... on PythonError {{ message }} }} }}"
    )
    program = str(Path(sys.executable).with_name("dagster-graphql"))
    done = subprocess.run(
        [program, "-w", str(WORKSPACE), "-t", mutation],
        cwd=folder,
        env=daemons_environment(folder),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert "LaunchBackfillSuccess" in done.stdout, done.stdout + done.stderr


def daemons_environment(folder: Path) -> dict[str, str]:
    """The environment in which Dagster's own programs find the folder's instance."""
    return {
        **environment(),
        "DAGSTER_HOME": str(folder / "dagster_home"),
        "CONVERSION_PLATFORM_CONFIG": str(folder / "conversion_platform.toml"),
    }


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


def settled(folder: Path) -> bool:
    """Whether nothing is at work, in the queue, or left to be asked for."""
    runs = runs_of(folder)
    asked_again = [
        run
        for run in runs
        if run.tags.get("dagster/will_retry") == "true"
        and "dagster/auto_retry_run_id" not in run.tags
    ]
    return all(run.is_finished for run in runs) and not asked_again and not pending_of(folder)


def pending_of(folder: Path) -> list[Pending]:
    """What commands of the platform have yet to run."""
    return pending_in(folder / "dagster_home")


def unfinished(folder: Path) -> list[dg.DagsterRun]:
    """Return the runs that are waiting or at work."""
    return [run for run in runs_of(folder) if not run.is_finished]
