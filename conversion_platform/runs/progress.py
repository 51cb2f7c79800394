"""How far a run is, read from its events in another thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import dagster as dg

from conversion_platform.runs.bars import Progress
from conversion_platform.runs.planning import Step

POLL_SECONDS = 1.0  # a look costs some 20 ms of the time of the run that is looked at

_STEP_EVENTS = {
    dg.DagsterEventType.STEP_START: "started",
    dg.DagsterEventType.STEP_SUCCESS: "finished",
    dg.DagsterEventType.STEP_FAILURE: "failed",
}


Watcher = Callable[[Progress], None]


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


@contextmanager
def watched(
    instance: dg.DagsterInstance,
    run_id: str,
    step: Step,
    names: tuple[str, ...],
    seconds: dict[str, float],
    watch: Watcher,
) -> Iterator[None]:
    """Reads the run's events beside it and tells the watcher how far it is."""
    done = Event()
    thread = Thread(
        target=follow, args=(instance, run_id, step, names, seconds, watch, done), daemon=True
    )
    watch(Progress(step, names))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=5)


def follow(
    instance: dg.DagsterInstance,
    run_id: str,
    step: Step,
    names: tuple[str, ...],
    seconds: dict[str, float],
    watch: Watcher,
    done: Event,
) -> None:
    """Tells the watcher each change until the run is over."""
    seen: tuple[tuple[str, ...], str | None] = ((), None)
    while True:
        last = done.wait(POLL_SECONDS)
        state = finished_and_running(instance, run_id)
        if state != seen:
            seen = state
            watch(Progress(step, names, *state, share_done(names, state[0], seconds)))
        if last:
            return


def finished_and_running(
    instance: dg.DagsterInstance, run_id: str
) -> tuple[tuple[str, ...], str | None]:
    """The steps that are done, and the one under way."""
    finished: list[str] = []
    running = None
    for entry in instance.all_logs(run_id, of_type=set(_STEP_EVENTS)):
        event = entry.dagster_event
        if event is None or event.step_key is None:
            continue
        if _STEP_EVENTS[event.event_type] == "started":
            running = event.step_key
        else:
            finished.append(event.step_key)
            running = None
    return tuple(finished), running


def share_done(
    names: tuple[str, ...], finished: tuple[str, ...], seconds: dict[str, float]
) -> float:
    """The share of the work that is behind us."""
    usual = sum(seconds.values()) / len(seconds) if seconds else 1.0
    weights = {name: seconds.get(name, usual) for name in names}
    total = sum(weights.values())
    return sum(weights.get(name, usual) for name in finished) / total if total else 0.0
