"""What one process can say of another: runs, gone, or not known."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

import pytest

from conversion_platform.liveness import process_of, this_process
from conversion_platform.liveness.process import State, state_of
from conversion_platform_tests.liveness.processes import child, elsewhere, ended_process


def test_a_process_of_this_host_runs_or_is_gone() -> None:
    assert state_of(this_process()) == State.RUNNING
    with child() as it:
        assert state_of(process_of(it.pid)) == State.RUNNING
    assert state_of(ended_process()) == State.GONE


def test_a_process_id_that_is_used_again_is_another_process() -> None:
    here = this_process()
    assert state_of(replace(here, started=here.started + 1)) == State.GONE


def test_one_that_has_ended_and_was_not_asked_for_its_end_is_gone() -> None:
    with child() as it:
        found = process_of(it.pid)
        it.kill()
        for _ in range(500):
            if state_of(found) == State.GONE:
                break
            time.sleep(0.01)
        assert it.returncode is None  # nobody has waited for it: the kernel keeps its entry
        assert state_of(found) == State.GONE


def test_of_a_stopped_process_nothing_is_known_until_it_goes_on() -> None:
    with child() as it:
        found = process_of(it.pid)
        it.send_signal(signal.SIGSTOP)
        os.waitpid(it.pid, os.WUNTRACED)
        assert state_of(found) == State.UNKNOWN
        it.send_signal(signal.SIGCONT)
        os.waitpid(it.pid, os.WCONTINUED)
        assert state_of(found) == State.RUNNING


@pytest.mark.parametrize("part", ["host", "boot", "space"])
def test_of_another_host_boot_or_container_nothing_is_known(part: str) -> None:
    gone = ended_process()
    assert state_of(replace(gone, **{part: "another"})) == State.UNKNOWN
    assert state_of(elsewhere()) == State.UNKNOWN
