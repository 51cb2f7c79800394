"""What the benchmarks share: arguments, children with measured time and memory, and the last line.

Each side of a comparison runs in a process of its own, because peak memory is a property of a
process and because nothing that one side imported or cached may help the other.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLE_SECONDS = 0.02
ROOT = Path(__file__).resolve().parent.parent
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measured:
    """One child: wall seconds and peak resident GiB of its process tree, and its answer.

    Attributes:
        seconds: From start to exit, imports included.
        peak_gib: Highest sum of resident memory over the child and its children.
        answer: The JSON object that the child printed as its last line.
    """

    seconds: float
    peak_gib: float
    answer: dict[str, Any]


def arguments(description: str) -> argparse.Namespace:
    """`--quick` and `--json`, the same for every benchmark."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="smaller size, within 50 s")
    parser.add_argument("--json", action="store_true", help="last line is one flat JSON object")
    return parser.parse_args()


def report(figures: dict[str, Any], as_json: bool) -> None:
    """Prints the figures as a list, or as one flat JSON object on the last line."""
    rounded = {k: round(v, 9) if isinstance(v, float) else v for k, v in figures.items()}
    if as_json:
        print(json.dumps(rounded), flush=True)
        return
    width = max(map(len, rounded))
    for name, value in rounded.items():
        print(f"{name:<{width}}  {value}")


def scratch_folder(name: str) -> Path:
    """A folder that outlives the run, for worlds that take long to make.

    `CONVERSION_PLATFORM_BENCH` moves it; otherwise it is below the system's temporary folder.
    """
    base = os.environ.get("CONVERSION_PLATFORM_BENCH")
    folder = Path(base) if base else Path(tempfile.gettempdir()) / "conversion-platform-bench"
    (folder / name).mkdir(parents=True, exist_ok=True)
    return folder / name


def keeping_byte_code() -> dict[str, str]:
    """The environment of a child that keeps what it compiles, as a person's own Python does."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def run_child(script: Path, *arguments: str) -> Measured:
    """Runs `python SCRIPT ARGUMENTS` and measures it.

    Raises:
        SystemExit: the child failed; its own error has been printed.
    """
    command = [sys.executable, str(script), *arguments]
    environment = {**keeping_byte_code(), "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    peak = _Peak(child.pid)
    output, _ = child.communicate()
    seconds = time.perf_counter() - start
    if child.returncode:
        sys.exit(f"{' '.join(command)} ended with {child.returncode}")
    return Measured(seconds, peak.stop() / 2**30, json.loads(output.strip().splitlines()[-1]))


class _Peak:
    """Follows the resident memory of a process tree until stopped."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self._bytes = max(self._bytes, sum(map(_resident, _tree(self._pid))))

    def stop(self) -> int:
        self._done.set()
        self._thread.join()
        return self._bytes


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def _tree(pid: int) -> list[int]:
    found, front = [pid], [pid]
    while front:
        here = front.pop()
        try:
            children = Path(f"/proc/{here}/task/{here}/children").read_text().split()
        except OSError:
            continue
        front += [int(child) for child in children]
        found += [int(child) for child in children]
    return found
