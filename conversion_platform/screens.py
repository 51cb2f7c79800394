"""What the command line shows a person: progress, the status screen, and errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from conversion_platform.defs.runner import Progress as JobProgress
    from conversion_platform.errors import PlatformError
    from conversion_platform.status import Interval, Status

WIDTH = 100


def console(stderr: bool = False) -> Console:
    """A console; where the output is no terminal it is as wide as our screens."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=WIDTH)


def show_error(error: PlatformError) -> None:
    """One clear message on standard error: what and where, then what to do."""
    out = console(stderr=True)
    out.print(f"[bold red]Error:[/] {_plain(error.problem)}", soft_wrap=True)
    out.print(f"[bold]What to do:[/] {_plain(error.remedy)}", soft_wrap=True)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


class JobBars:
    """Progress bars, one a job: what is going on, how far, how long it took and how long still.

    Where the output is no terminal, each job is one line when it starts.
    """

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._console = console()
        self._bars = Progress(
            TextColumn("{task.description:<50}"),
            BarColumn(bar_width=16),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, Any] = {}

    @contextmanager
    def shown(self) -> Iterator[JobBars]:
        """Keeps the bars on screen."""
        with self._bars:
            yield self

    def watch(self, progress: JobProgress) -> None:
        """Takes in how far a job is."""
        name = f"{progress.step.job} {progress.step.days}"
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=1.0)
            if not self._console.is_terminal:
                self._console.print(f"{name}: {progress.step.why}")
        label = f"{name}: {progress.running or 'starting'}"
        if len(progress.finished) == len(progress.names):
            label = f"{name}: done"
        self._bars.update(self._tasks[name], completed=progress.share, description=label)

    def warn(self, failed_checks: Iterable[str]) -> None:
        """Names the checks that failed and let the run go on; Dagster's pages say more."""
        for check in failed_checks:
            self._console.print(f"  [yellow]warning:[/] {_plain(check)}")


def status_table(status: Status) -> Table:
    """The status as one screen."""
    from rich import box
    from rich.table import Table

    table = Table(title=f"{status.platform}", box=box.SIMPLE_HEAD, show_header=False, width=WIDTH)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in _status_lines(status):
        table.add_row(label, value)
    return table


def _status_lines(status: Status) -> Iterator[tuple[str, str]]:
    yield "lake", status.lake
    yield "last day run", status.last_day_run or "none yet"
    yield "champion", _champion(status)
    if status.map_source:
        yield f"MAP@{status.map_k}, {status.map_source}", _maps(status)
        yield "gain over human", shown(status.gain_over_human)
    if status.gap_closed.value is not None:
        yield "gap human to oracle closed", shown(status.gap_closed, percent=True)
    for stage, tables in status.rows.items():
        yield f"rows, {stage}", _listed(tables)
    yield "event log", _listed(status.log_events)
    yield "texts by state", _listed(status.messages) or "none yet"
    yield "drift", _drift_line(status)
    yield "next scheduled run", status.next_run or "schedules are off (schedule.enabled)"


def _champion(status: Status) -> str:
    if status.champion is None:
        return "none yet"
    return f"{status.champion} (since {status.champion_since})"


def _maps(status: Status) -> str:
    parts = {
        "model": status.map_model,
        "human": status.map_human,
        "popularity": status.map_popularity,
        "oracle": status.map_oracle,
    }
    return ", ".join(
        f"{name} {found.value:.3f}" for name, found in parts.items() if found.value is not None
    )


def shown(interval: Interval, percent: bool = False) -> str:
    """A value with its interval."""
    if interval.value is None or interval.low is None or interval.high is None:
        return "not measurable"
    if percent:
        return f"{interval.value:.0%} [{interval.low:.0%}, {interval.high:.0%}]"
    return f"{interval.value:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _drift_line(status: Status) -> str:
    if status.drift_day is None:
        return "not watched yet"
    if status.drift_share is None:
        return f"{status.drift_day}: nothing to compare"
    verdict = "above the limit" if status.drifted else "within the limit"
    return f"{status.drift_day}: {status.drift_share:.0%} of the columns drifted, {verdict}"
