"""Progress bars, one a job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from conversion_platform.runs.planning import Step
from conversion_platform.stopping import when_stopped
from conversion_platform.terminal import console, plain


@dataclass(frozen=True)
class Progress:
    """How far one job is.

    Attributes:
        step: The job and its days.
        names: Its steps, by the order in which they finished, then those that remain.
        finished: Steps that are done.
        running: The step under way, if any.
        share: Work done, 0 to 1, weighted by how long each step took last time.
    """

    step: Step
    names: tuple[str, ...]
    finished: tuple[str, ...] = ()
    running: str | None = None
    share: float = 0.0


class JobBars:
    """Progress bars, one a job: what is going on, how far, how long it took and how long still.

    Where the output is no terminal, each job is one line when it starts.
    """

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        self._console = console()
        self._bars = Bars(
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
        with self._bars, when_stopped(self._bars.stop):
            yield self

    def watch(self, progress: Progress) -> None:
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
            self._console.print(f"  [yellow]warning:[/] {plain(check)}")
