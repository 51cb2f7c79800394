"""Kills real processes at random moments (what a power cut or the kernel's OOM killer does)."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process that runs `script`; it should print a line once it is at work."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_at_work(script: str, *arguments: str, seconds: float = 0.1, seed: int = 0) -> None:
    """Starts `script`, waits for its first line, and kills it within `seconds` after that."""
    with start(script, *arguments) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(random.Random(seed).uniform(0, seconds))
        process.kill()
        _, errors = process.communicate()
    assert first, errors


def finish(process: subprocess.Popen[str]) -> str:
    """What a process printed; fails if it failed."""
    with process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output
