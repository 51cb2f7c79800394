"""What a person sees of jobs under way: one bar a job, or lines where the output is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from conversion_platform.process import when_stopped
from conversion_platform.runs.planning import PlannedJob
from conversion_platform.terminal import console, styled

LINE_SECONDS = 15.0  # between two lines of one job where the output is no terminal


@dataclass(frozen=True)
class Progress:
    """How far one job is.

    Attributes:
        step: The job and its days.
        running: The asset or check under way, if any, with how many of its days are done.
        share: Work done, 0 to 1, weighted by how long each asset took last time.
        finished: Whether the job is over.
    """

    step: PlannedJob
    running: str | None = None
    share: float = 0.0
    finished: bool = False

    @property
    def name(self) -> str:
        return f"{self.step.job} {self.step.days}"

    def __str__(self) -> str:
        if self.running is None:
            return f"{self.name}: {'done' if self.finished else 'starting'}"
        name = self.name if len(self.step.days) == 1 else self.step.job
        return f"{name}: {self.running}"


class JobBars:
    """Progress bars, one a job: what is going on, how far, how long it took and how long still.

    Where the output is no terminal, each job is a line when it starts, and one now and then.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
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
            TextColumn("{task.description:<50}", markup=False),
            BarColumn(bar_width=16),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, Any] = {}
        self._clock = clock
        self._last_line = clock()

    @contextmanager
    def shown(self) -> Iterator[JobBars]:
        """Keep the bars on screen."""
        with self._bars, when_stopped(self._bars.stop):
            yield self

    def watch(self, progress: Progress) -> None:
        """Take in how far a job is."""
        if progress.name not in self._tasks:
            self._tasks[progress.name] = self._bars.add_task(progress.name, total=1.0)
            self._line(f"{progress.name}: {progress.step.why}")
        elif self._clock() - self._last_line >= LINE_SECONDS:
            self._line(str(progress))
        task = self._tasks[progress.name]
        self._bars.update(task, completed=progress.share, description=str(progress))

    def _line(self, words: str) -> None:
        if not self._console.is_terminal:
            self._console.print(words)
            self._last_line = self._clock()

    def warn(self, failed_checks: Iterable[str]) -> None:
        """Name the checks that failed and let the run go on; Dagster's pages say more."""
        for check in failed_checks:
            self._console.print(styled(("  warning:", "yellow"), f" {check}"))
