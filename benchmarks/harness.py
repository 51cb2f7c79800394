"""What the benchmarks share: arguments, children with measured time and memory, and the last line.

Each side of a comparison runs in a process of its own, because peak memory is a property of a
process and because nothing that one side imported or cached may help the other.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SAMPLE_SECONDS = 0.02
ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
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


@dataclass(frozen=True)
class Bound:
    """What one figure must be.

    Attributes:
        figure: Its name.
        least: The least that is allowed, if any.
        most: The most that is allowed, if any.
    """

    figure: str
    least: float | None = None
    most: float | None = None

    def missed(self, figures: Mapping[str, Any]) -> str | None:
        """Return in words how the figure is beyond the bound; None if it is not."""
        value = figures[self.figure]
        if self.least is not None and value < self.least:
            return f"{self.figure}: {value:,.3f} is less than {self.least:,.3f}"
        if self.most is not None and value > self.most:
            return f"{self.figure}: {value:,.3f} is more than {self.most:,.3f}"
        return None


Measure = Callable[[bool], dict[str, Any]]
Bounds = Callable[[Mapping[str, Any], bool], Iterable[Bound]]


def conduct(name: str, description: str, measure: Measure, bounds: Bounds) -> None:
    """Run a benchmark as its command line asks, and print its figures.

    Args:
        name: Of the file, without `.py`: a full run is kept in `results/NAME.json`.
        description: For `--help`.
        measure: Returns the figures; of the smaller size if its argument is true.
        bounds: Returns what the figures must be, given the figures and whether they are quick.

    Raises:
        SystemExit: a figure is beyond its bound.
    """
    options = _arguments(description)
    if options.last:
        report(last(name), options.json)
        return
    figures = measure(options.quick)
    if not options.quick:
        keep(name, figures)
    report(figures, options.json)
    missed = [bound.missed(figures) for bound in bounds(figures, options.quick)]
    if told := [one for one in missed if one]:
        sys.exit("\n".join(told))


def _arguments(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="smaller size, within 50 s")
    parser.add_argument("--json", action="store_true", help="last line is one flat JSON object")
    parser.add_argument("--last", action="store_true", help="print the full run that is kept")
    return parser.parse_args()


def keep(name: str, figures: dict[str, Any]) -> None:
    """Write the figures of a full run to `results/`, with the commit, the day and the machine."""
    RESULTS.mkdir(exist_ok=True)
    kept = {"commit": commit(), "date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": _machine()}
    (RESULTS / f"{name}.json").write_text(
        json.dumps({**kept, **_rounded(figures)}, indent=2) + "\n"
    )


def last(name: str) -> dict[str, Any]:
    """Read the figures of the full run that is kept.

    Raises:
        SystemExit: none is.
    """
    file = RESULTS / f"{name}.json"
    if not file.exists():
        sys.exit(f"{file} does not exist: run benchmarks/{name}.py without --quick first.")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def commit() -> str:
    """Return the short hash of the checkout, and whether files differ from it."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(ROOT), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    changed = git(
        "status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results"
    )
    return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")


def _machine() -> str:
    memory = os.sysconf("SC_PHYS_PAGES") * PAGE / 2**30
    return f"{platform.platform(terse=True)}, {os.cpu_count()} cores, {memory:.0f} GiB"


def report(figures: dict[str, Any], as_json: bool) -> None:
    """Print the figures as a list, or as one flat JSON object on the last line."""
    rounded = _rounded(figures)
    if as_json:
        print(json.dumps(rounded), flush=True)
        return
    width = max(map(len, rounded))
    for name, value in rounded.items():
        print(f"{name:<{width}}  {value}")


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 9) if isinstance(v, float) else v for k, v in figures.items()}


def scratch_folder(name: str) -> Path:
    """A folder that outlives the run, for worlds that take long to make.

    `CONVERSION_PLATFORM_BENCH` moves it; otherwise it is below the system's temporary folder.
    """
    base = os.environ.get("CONVERSION_PLATFORM_BENCH")
    folder = Path(base) if base else Path(tempfile.gettempdir()) / "conversion-platform-bench"
    (folder / name).mkdir(parents=True, exist_ok=True)
    return folder / name


def world_folder(name: str, maker: Path) -> Path:
    """A scratch folder of a world; another version of the file that makes it has another one.

    A world from before users were captured stopped `features.py` for want of a snapshot.
    """
    return scratch_folder(f"{name}-{hashlib.sha256(maker.read_bytes()).hexdigest()[:8]}")


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
