"""kill -9 anywhere, then nothing but a start of the daemon: what was begun ends by itself.

Each trial kills `run`, the daemon with all that it started, or the daemon while it runs
`send_texts`, at a random moment, and compares the lake with that of a platform that nobody
disturbed. Three trials by default; as many as asked for by

    KILLS=30 python -m pytest conversion_platform_tests/faults/test_kill_anywhere.py -s
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import dagster as dg
import pytest

from conversion_platform.lake import Session
from conversion_platform.liveness import lease_owners
from conversion_platform_tests.command import start
from conversion_platform_tests.faults.restarting import (
    SECONDS_TO_FREE,
    daemon,
    kill_group,
    launch,
    pending_of,
    runs_of,
    settled,
    start_daemon,
    unfinished,
    wait_for,
)
from conversion_platform_tests.faults.test_killing import same_as, undo
from conversion_platform_tests.tiny_platform import (
    LIVED,
    edit,
    lake_in,
    run,
    run_job,
    settings_in,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
KILLS = int(os.environ.get("KILLS", "3"))
SENT = ("sent_messages", "message_states", "replies")


@dataclass(frozen=True)
class Calm:
    """A platform before its work and after it, and how long that took.

    Attributes:
        before: To be copied for each trial.
        after: What nobody disturbed.
        seconds: From the beginning of the work to its end.
        job: The last job of the work.
    """

    before: Path
    after: Path
    seconds: float
    job: str


def undisturbed(before: Path, job: str, work: Callable[[Path], object]) -> Calm:
    after = shutil.copytree(before, before.with_name(f"{before.name}_after"))
    began = time.monotonic()
    work(after)
    return Calm(before, after, time.monotonic() - began, job)


def emptied(lived: Path, folder: Path, training: bool) -> Path:
    """The lived platform before its day (and training), with no runs and no sensor that asks."""
    shutil.copytree(lived, folder)
    shutil.rmtree(folder / "dagster_home")
    edit(folder, "[schedule]", "[drift]\nmax_drifted_share = 1.0\n[schedule]")
    undo(folder, training)
    return folder


def planned(lived: Path, folder: Path) -> Path:
    """The lived platform whose messages are planned, and none has left."""
    from conversion_platform.messaging import open_ledger, plan_messages

    emptied(lived, folder, training=False)
    run(folder, LIVED)
    shutil.rmtree(folder / "messaging")
    for name in SENT:
        shutil.rmtree(folder / "lake" / name)
    settings, lake = settings_in(folder), lake_in(folder)
    with lake.connect() as con, open_ledger(settings) as ledger:
        plan_messages(Session(settings, lake, con), ledger, LIVED)
    return folder


Works = Callable[[str], Calm]


@pytest.fixture(scope="module")
def works(lived: Path, tmp_path_factory: pytest.TempPathFactory) -> Works:
    """Makes each kind of work that is disturbed, once."""
    base = tmp_path_factory.mktemp("calm")

    def day(folder: Path) -> object:
        return run(folder, LIVED)

    def send(folder: Path) -> object:
        return run_job(folder, "send_texts", LIVED)

    @cache
    def make(name: str) -> Calm:
        if name == "send_texts":
            return undisturbed(planned(lived, base / "planned"), name, send)
        first = name == "first run"
        before = emptied(lived, base / name.replace(" ", "_"), training=first)
        return undisturbed(before, "daily", day)

    return make


def kill_command(folder: Path, delay: float) -> float:
    """Kill `run` after it has written down what it is to do."""
    process = start(folder, "run", "--from", str(LIVED))
    while not pending_of(folder):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return delay


def kill_daemon(folder: Path, work: Calm, chance: random.Random, log: Path) -> float:
    """Kill the daemon with all that it started, somewhere in a run that it was asked for.

    Returns:
        Seconds after the run's process began to work, or to start in one trial of four.
    """
    runs_of(folder)  # makes the instance, which the daemon and `dagster job launch` share
    process = start_daemon(folder, log)
    launch(folder, work.job, LIVED)
    wait_for(lambda: any(r.status != dg.DagsterRunStatus.QUEUED for r in runs_of(folder)), 120, log)
    if chance.random() < 1 / 4:
        delay = chance.uniform(0, 8)
    else:
        wait_for(lambda: bool(lease_owners(folder / "dagster_home")) or settled(folder), 120, log)
        delay = chance.uniform(0, work.seconds)
    time.sleep(delay)
    kill_group(process)
    return delay


TRIALS = [
    pytest.param(kind, number, id=f"{number}-{kind}")
    for number, kind in enumerate((["run", "daemon", "send_texts"] * KILLS)[:KILLS])
]


@pytest.mark.parametrize(("kind", "number"), TRIALS)
def test_what_was_killed_ends_by_itself_as_if_nobody_had_disturbed_it(
    works: Works, tmp_path: Path, kind: str, number: int
) -> None:
    chance = random.Random(number)
    work = works(work_of(kind, chance))
    folder = shutil.copytree(work.before, tmp_path / "struck")
    log = tmp_path / "daemon.log"
    if kind == "run":
        delay = kill_command(folder, chance.uniform(0, work.seconds))
    else:
        delay = kill_daemon(folder, work, chance, log)
    left = {one.run_id for one in unfinished(folder) if one.status != dg.DagsterRunStatus.QUEUED}

    def are_freed() -> bool:
        return not left & {one.run_id for one in unfinished(folder)}

    with daemon(folder, log):
        freed = wait_for(are_freed, SECONDS_TO_FREE, log)
        ended = wait_for(lambda: settled(folder) and is_done(folder, work), 600, log)
    print(f"{kind}: killed after {delay:.1f} s, freed {freed:.0f} s, ended {ended:.0f} s after")
    same_as(folder, work.after)


def work_of(kind: str, chance: random.Random) -> str:
    """The work that is disturbed; a first run, which trains, in one of three."""
    if kind == "send_texts":
        return kind
    return "first run" if kind == "run" and chance.random() < 1 / 3 else "run"


def is_done(folder: Path, work: Calm) -> bool:
    """Whether the last job of the work has ended well for the day."""
    runs = runs_of(folder, work.job)
    return bool(runs) and runs[0].status == dg.DagsterRunStatus.SUCCESS
