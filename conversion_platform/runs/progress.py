"""How far a run is, from its own events: a Dagster logger is told of each as it happens."""

from __future__ import annotations

import logging
from collections.abc import Callable

import dagster as dg

from conversion_platform.runs.bars import Progress
from conversion_platform.runs.dagster_internals import EVENT_OF_A_RECORD
from conversion_platform.runs.planning import PlannedJob

Watcher = Callable[[Progress], None]

ENDS = (dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE)


def expected_seconds(instance: dg.DagsterInstance, job: str) -> dict[str, float]:
    """How long each step of a job took in its last successful run; empty the first time."""
    wanted = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS])
    runs = instance.get_runs(wanted, limit=1)
    if not runs:
        return {}
    return {
        stats.step_key: max(stats.end_time - stats.start_time, 0.05)
        for stats in instance.get_run_step_stats(runs[0].run_id)
        if stats.start_time and stats.end_time
    }


class RunProgress(logging.Handler):
    """Tells a watcher how far a run is, each time that a step begins, ends, or has done a day.

    A step is an asset or a check of the job.
    """

    def __init__(
        self, step: PlannedJob, names: tuple[str, ...], seconds: dict[str, float], watch: Watcher
    ) -> None:
        super().__init__()
        self._step = step
        self._watch = watch
        usual = sum(seconds.values()) / len(seconds) if seconds else 1.0
        weights = {name: seconds.get(name, usual) for name in names}
        self._shares = {name: weight / sum(weights.values()) for name, weight in weights.items()}
        self._left = set(names)
        self._done = 0.0
        self._running: str | None = None
        self._part_done = 0.0
        watch(Progress(step))

    @property
    def logger(self) -> dg.LoggerDefinition:
        """The Dagster logger that hears the events of the run."""
        logger = logging.Logger("conversion_platform.progress", logging.DEBUG)
        logger.addHandler(self)
        return dg.LoggerDefinition(lambda _: logger, description="How far the run is.")

    def emit(self, record: logging.LogRecord) -> None:
        """Hear one record of the run's log; those of steps that begin or end matter here."""
        event: dg.DagsterEvent | None = getattr(record, EVENT_OF_A_RECORD, None)
        if event is None or event.step_key is None:
            return
        if event.event_type == dg.DagsterEventType.STEP_START:
            self._running, self._part_done = event.step_key, 0.0
            self._tell(event.step_key)
        elif event.event_type in ENDS:
            self._left.discard(event.step_key)
            self._done += self._shares[event.step_key]
            self._running, self._part_done = None, 0.0
            self._tell(None)

    def count(self, done: int, of: int, what: str) -> None:
        """Hear how many days the running step has done. A second loop over them takes none back."""
        if self._running is None or of < 2:
            return
        self._part_done = max(self._part_done, done / of)
        self._tell(f"{self._running}, {done:,} of {of:,} {what}")

    def _tell(self, running: str | None) -> None:
        under_way = self._shares[self._running] * self._part_done if self._running else 0.0
        share = self._done + under_way
        self._watch(Progress(self._step, running, share, finished=not self._left))
