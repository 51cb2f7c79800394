"""Processes to look at: alive, ended, stopped, elsewhere."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from conversion_platform.liveness import Lease, Process, process_of, this_process

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
HOLD_THE_INTERPRETER = (
    "import ctypes; print('up', flush=True); ctypes.PyDLL(None).sleep(600)"  # PyDLL: GIL is kept
)


@contextmanager
def child(script: str = SLEEP) -> Iterator[subprocess.Popen[str]]:
    """A process that is up and does nothing."""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as it:
        try:
            assert it.stdout is not None
            it.stdout.readline()
            yield it
        finally:
            it.send_signal(signal.SIGCONT)
            it.kill()


def ended_process() -> Process:
    """A process that was there a moment ago."""
    with child() as it:
        return process_of(it.pid)


def elsewhere() -> Process:
    """A process of another host."""
    return replace(this_process(), host="another-host", boot="another-boot", pid=1)


def lease_of(process: Process, owner: str = "owner", count: int = 0) -> Lease:
    return Lease(owner, "a task", process, count=count)
