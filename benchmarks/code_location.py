"""How long the code location takes to load, against a bare `import dagster` in the same run.

Prints `load_vs_import_dagster`: the median of alternating fresh processes; each child's own clock
starts before its first import, so the interpreter's start is in neither side.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import Bound, conduct, keeping_byte_code

CLOCK = "import time; began = time.perf_counter(); {work}; print(time.perf_counter() - began)"
SIDES = {
    "import_dagster": CLOCK.format(work="import dagster"),
    "load_code_location": CLOCK.format(
        work="from conversion_platform.definitions import defs; defs().get_repository_def()"
    ),
}


def seconds_of(code: str, folder: str) -> float:
    """One fresh process; its working directory has no settings file."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=keeping_byte_code(),
    )
    return float(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Run it, or print the run that is kept."""
    conduct("code_location", __doc__ or "", measured, bounds)


def bounds(*_: object) -> list[Bound]:
    """Return what is asked."""
    return [Bound("load_vs_import_dagster", most=2)]


def measured(quick: bool) -> dict[str, float]:
    """Return the figures of both sides."""
    rounds = 5 if quick else 15
    times: dict[str, list[float]] = {name: [] for name in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        for code in SIDES.values():
            seconds_of(code, folder)  # compiles and reads from disk; not counted
        for _ in range(rounds):
            for name, code in SIDES.items():
                times[name].append(seconds_of(code, folder))
    medians = {name: statistics.median(found) for name, found in times.items()}
    return {
        "load_vs_import_dagster": medians["load_code_location"] / medians["import_dagster"],
        **{f"seconds_{name}": value for name, value in medians.items()},
        "rounds": rounds,
    }


if __name__ == "__main__":
    main()
