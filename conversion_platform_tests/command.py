"""The command line in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).parents[1]
CALL = "from conversion_platform.cli.main import main; main()"


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Starts `conversion-platform --config FOLDER/... WORDS` in a process group of its own."""
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            CALL,
            "--config",
            str(folder / "conversion_platform.toml"),
            *words,
        ],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_interruptible,
    )


def environment() -> dict[str, str]:
    """This process's environment, without settings or an instance of somebody else's."""
    kept = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    return {**kept, "PYTHONPATH": str(PROJECT)}


def _interruptible() -> None:
    """A process started in the background may have been told to ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def ended(process: subprocess.Popen[str], seconds: float = 240) -> tuple[int, str, str]:
    """Exit code, output and errors of a process."""
    output, errors = process.communicate(timeout=seconds)
    return process.returncode, output, errors


def call(folder: Path, *words: str) -> tuple[int, str, str]:
    """Runs the command to its end."""
    return ended(start(folder, *words))


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> bool:
    """Waits for something to become true; False if the process ended before that."""
    for _ in range(24_000):
        if condition():
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.01)
    raise TimeoutError("it never happened")
