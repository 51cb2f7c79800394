"""What `run` costs over a long and thin history: how soon it begins, and what Dagster's rows take.

A marketplace of 45,000 users with 45,000 events in 2,283 days (4,000 jobs) runs its first day: the
history of all days, a champion, the day. One run, in a process of its own; its world is removed
afterwards. A full run takes ten minutes on a machine that has nothing else to do, cannot be
taken up where it was stopped, and is kept in `results/long_history.json`; `--last` prints that.

    seconds_to_first_step   from the start of the process to the first step's begin (at most 30)
    seconds_total           to the end of the day's run
    overhead_seconds        spent on Dagster's own rows (at most 15 % or 3 minutes, the larger)
    overhead_share          the same over seconds_total
    longest_silence         most seconds between two words of progress
    days_recorded           days with their figures on Dagster's pages, over all assets of the
                            history; days_expected says how many there are
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent))

from benchmarks import harness  # noqa: E402
from benchmarks._history_world import Size, write_sources  # noqa: E402
from conversion_platform.days import DayRange  # noqa: E402
from conversion_platform.settings import CONFIG_NAME, Settings, load_settings  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conversion_platform.runs.bars import Progress

FULL = Size(days=2283, events=45_000, users=45_000)
QUICK = Size(days=60, events=2_400, users=1_000)
ASSETS = (
    "users",
    "jobs",
    "events",
    "user_features",
    "job_features",
    "user_by_category",
)
FIRST_STEP_SECONDS, OVERHEAD_SHARE, OVERHEAD_SECONDS = 30.0, 0.15, 180.0


def main() -> None:
    """Run it, or print the run that is kept."""
    harness.conduct("long_history", __doc__ or "", measured, bounds)


def measured(quick: bool) -> dict[str, Any]:
    """Return the figures of one run, in a world of its own."""
    size = QUICK if quick else FULL
    folder = harness.scratch_folder(f"history-{size.days}")
    shutil.rmtree(folder)
    try:
        write_sources(folder, size)
        run = harness.run_child(HERE, str(folder), size.day.isoformat(), repr(time.time()))
        answer = run.answer
        recorded = days_recorded(load_settings(folder / CONFIG_NAME), size.history)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "seconds_to_first_step": answer["seconds_to_first_step"],
        "overhead_share": answer["overhead_seconds"] / run.seconds,
        "seconds_total": run.seconds,
        "overhead_seconds": answer["overhead_seconds"],
        "longest_silence": answer["longest_silence"],
        "days_recorded": recorded,
        "days_expected": size.days * len(ASSETS),
        "peak_gib": run.peak_gib,
        "cpu_seconds": answer["cpu_seconds"],
        "days": size.days,
        "events": size.events,
        "users": size.users,
    }


def bounds(figures: Mapping[str, Any], _: bool) -> list[harness.Bound]:
    """Return the issue's bounds; its three minutes are for 2,283 days."""
    allowed = OVERHEAD_SECONDS * figures["days"] / FULL.days
    return [
        harness.Bound("seconds_to_first_step", most=FIRST_STEP_SECONDS),
        harness.Bound(
            "overhead_seconds", most=max(OVERHEAD_SHARE * figures["seconds_total"], allowed)
        ),
        harness.Bound("days_recorded", least=figures["days_expected"]),
    ]


def days_recorded(settings: Settings, days: DayRange) -> int:
    """How many of the days each asset's page shows as materialised, added up."""
    import dagster as dg

    from conversion_platform.runs.instance import open_instance

    wanted = {str(day) for day in days}
    with open_instance(settings) as instance:
        found = [instance.get_materialized_partitions(dg.AssetKey(asset)) for asset in ASSETS]
    return sum(len(wanted & one) for one in found)


class Watch:
    """Takes in progress in place of the bars: when the first step began, and when none came."""

    def __init__(self, start: float) -> None:
        self._start = self._last = start
        self.first_step: float | None = None
        self.longest_silence = 0.0

    def watch(self, progress: Progress) -> None:
        """Take in how far a job is."""
        now = time.time()
        if progress.running and self.first_step is None:
            self.first_step = now - self._start
        self.longest_silence = max(self.longest_silence, now - self._last)
        self._last = now

    def warn(self, failed_checks: Iterable[str]) -> None:
        """Take in the checks that failed; they are of no matter here."""


class Clock:
    """Seconds inside of functions that may call each other."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        def timed(*arguments: Any, **options: Any) -> Any:
            with self._running():
                return function(*arguments, **options)

        return timed

    @contextmanager
    def _running(self) -> Iterator[None]:
        start = time.perf_counter()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self.seconds += time.perf_counter() - start


def run(folder: Path, day: str, start: float) -> dict[str, Any]:
    """The run itself, with Dagster's writing of rows under a clock."""
    from datetime import date

    import dagster as dg

    from conversion_platform.runs import run_days

    clock = Clock()
    for owner, name in (
        (dg.AssetExecutionContext, "log_event"),
        (dg.DagsterInstance, "handle_new_event"),
    ):
        setattr(owner, name, clock.around(getattr(owner, name)))
    watch = Watch(start)
    settings = load_settings(folder / CONFIG_NAME)
    run_days(settings, DayRange.of(date.fromisoformat(day)), watch)  # type: ignore[arg-type]
    return {
        "seconds_to_first_step": watch.first_step,
        "overhead_seconds": clock.seconds,
        "longest_silence": watch.longest_silence,
        "cpu_seconds": time.process_time(),
    }


if __name__ == "__main__":
    if len(sys.argv) == 4 and not sys.argv[1].startswith("-"):
        print(json.dumps(run(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))))
    else:
        main()
