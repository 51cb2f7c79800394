"""Ctrl-C and SIGTERM: one line and a quick end, whatever the work is doing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conversion_platform.process import STOPPED, stoppable
from conversion_platform_tests.command import environment

IN_A_QUERY = "import duckdb; say(); duckdb.sql('SELECT count(*) FROM range(1000000000000)').show()"
IN_A_FIT = """
import numpy, xgboost
matrix = xgboost.DMatrix(numpy.random.rand(200_000, 50), label=numpy.random.rand(200_000))
say()
xgboost.train({"max_depth": 12}, matrix, 100_000)
"""
IN_PYTHON = "say()\nwhile True: pass"
IN_A_DESTRUCTOR = """
class Held:
    def __del__(self):
        say()
        while True: pass
held = Held()
del held
"""
AMONG_HOOKS = """
def hang(): time.sleep(60)
def fail(): raise RuntimeError("own")
with when_stopped(lambda: print("last")), when_stopped(hang), when_stopped(fail):
    with when_stopped(lambda: print("first")):
        say()
        time.sleep(60)
"""
SCRIPT = """
import signal, sys, time
from pathlib import Path
from conversion_platform.process import removed_when_stopped, stoppable, when_stopped
signal.signal(signal.SIGINT, signal.default_int_handler)
def say():
    print("at work", flush=True)
@stoppable
def work():
{body}
work()
"""


def stopped(body: str, *signals: signal.Signals) -> tuple[int, str, str, float]:
    """Exit code, output, errors and seconds to the end of a command that is told to stop."""
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(body=indented)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "at work\n"
            time.sleep(0.3)
            began = time.monotonic()
            for one in signals:
                process.send_signal(one)
            output, errors = process.communicate(timeout=30)
            return process.returncode, output, errors, time.monotonic() - began
        finally:
            process.kill()


@pytest.mark.parametrize(
    "body",
    [
        *(pytest.param(body, marks=pytest.mark.slow) for body in (IN_A_QUERY, IN_PYTHON)),
        *(IN_A_FIT, IN_A_DESTRUCTOR),
    ],
)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_leaves_within_seconds_and_says_one_line_wherever_it_is(
    body: str, number: signal.Signals, code: int
) -> None:
    ended, output, errors, seconds = stopped(body, number)
    assert (ended, output, errors) == (code, "", f"\n{STOPPED}\n")
    assert seconds < 10


def test_a_second_ctrl_c_changes_nothing() -> None:
    ended, _, errors, _ = stopped(IN_PYTHON, signal.SIGINT, signal.SIGINT, signal.SIGTERM)
    assert ended in (130, 143)
    assert errors == f"\n{STOPPED}\n"


def test_what_was_registered_is_called_newest_first_and_cannot_hold_the_end_up() -> None:
    ended, output, errors, seconds = stopped(AMONG_HOOKS, signal.SIGINT)
    assert (ended, errors) == (130, f"\n{STOPPED}\n")
    assert output == "first\nlast\n"
    assert seconds < 10


def test_files_and_folders_in_the_making_are_removed(tmp_path: Path) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    making = (
        f"file, folder = Path({str(file)!r}), Path({str(folder)!r})\n"
        "with removed_when_stopped(file), removed_when_stopped(folder):\n"
        "    file.touch(); (folder / 'deep').mkdir(parents=True); say(); time.sleep(60)"
    )
    assert stopped(making, signal.SIGTERM)[0] == 143
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_ended_well_leaves_nothing_registered(tmp_path: Path) -> None:
    called = tmp_path / "called"
    body = (
        f"with when_stopped(Path({str(called)!r}).touch): pass\n"
        f"with removed_when_stopped(Path({str(tmp_path)!r})): pass\nsay()\ntime.sleep(60)"
    )
    assert stopped(body, signal.SIGINT)[0] == 130
    assert list(tmp_path.iterdir()) == []


def exits() -> None:
    sys.exit(3)


def fails() -> None:
    raise ValueError("own")


@pytest.mark.parametrize(("work", "error"), [(exits, SystemExit), (fails, ValueError)])
def test_errors_and_exits_of_the_work_are_those_of_the_command(
    work: Callable[[], None], error: type[BaseException]
) -> None:
    with pytest.raises(error):
        stoppable(work)()


def test_the_work_gets_its_arguments_in_a_thread_of_its_own_and_the_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    found = stoppable(lambda one, *, two: (one, two, threading.current_thread()))(1, two=2)
    assert found[:2] == (1, 2)
    assert found[2] is not threading.main_thread()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_command_inside_of_another_runs_as_it_is() -> None:
    assert stoppable(stoppable(lambda: "done"))() == "done"
