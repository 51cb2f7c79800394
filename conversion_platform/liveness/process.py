"""Which process is meant, on whichever host, and whether it still runs."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

PROC = Path("/proc")
STOPPED, ENDED = "Tt", "ZX"  # letters of proc(5): stopped or traced; zombie or dead


class State(Enum):
    """What this process can say of another one."""

    RUNNING = "running"
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Process:
    """One process, told apart from every other one.

    Attributes:
        host: The host's name.
        boot: The id that the host's kernel gave this boot; empty where it gives none (macOS).
        space: The namespace of process ids (a container has its own).
        pid: The process id.
        started: When the process began, in clock ticks of the boot: a process id is used again.
    """

    host: str
    boot: str
    space: str
    pid: int
    started: int

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def this_process() -> Process:
    """Return the process that asks."""
    return process_of(os.getpid())


def process_of(pid: int) -> Process:
    """Return the process that has an id on this host now."""
    found = _stat(pid)
    return Process(socket.gethostname(), *_kernel(), pid, found[1] if found else 0)


def state_of(process: Process) -> State:
    """Return whether a process runs, as far as this one can see.

    Of a process on another host, in another container or from another boot nothing is known, and
    neither is of one that is stopped: it may go on, or not.
    """
    if (process.host, process.boot, process.space) != (socket.gethostname(), *_kernel()):
        return State.UNKNOWN
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return State.GONE
    except PermissionError:
        pass  # another user's
    found = _stat(process.pid)
    if found is None:
        return State.UNKNOWN
    letter, started = found
    if letter in ENDED or started != process.started:
        return State.GONE
    return State.UNKNOWN if letter in STOPPED else State.RUNNING


@lru_cache(maxsize=1)
def _kernel() -> tuple[str, str]:
    """Return the ids of this boot and of this namespace of process ids."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return boot, str((PROC / "self/ns/pid").readlink())
    except OSError:
        return "", ""


def _stat(pid: int) -> tuple[str, int] | None:
    """Return the state's letter and the start time; None where the kernel does not show them."""
    try:
        text = (PROC / str(pid) / "stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return fields[0], int(fields[19])
