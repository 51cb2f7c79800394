"""A command that runs jobs: it holds leases, and its death does not lose what it was to run."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from conversion_platform.defs.liveness import AT_WORK, end_dead_runs, end_run, home_of, remaining
from conversion_platform.lake import Storage
from conversion_platform.liveness import (
    Lease,
    Leases,
    Observations,
    Pending,
    PendingJob,
    forget,
    lease_store,
    leases_of,
    pending_in,
    process_is_gone,
    save,
)
from conversion_platform.process import when_stopped
from conversion_platform.runs.planning import PlannedJob
from conversion_platform.terminal import console

RunOne = Callable[[PlannedJob, Mapping[str, str]], None]
_LEFT = "a killed command left it"


class Command:
    """A command under way, as the lake's only writer. Made by `command`."""

    def __init__(self, instance: dg.DagsterInstance, leases: Leases) -> None:
        self._instance = instance
        self._home = home_of(instance)
        self._id = leases.lease.owner

    def run(
        self, steps: Sequence[PlannedJob], run_one: RunOne, then: Sequence[PlannedJob] = ()
    ) -> None:
        """Run the steps in order; what remains is written down before each.

        Args:
            steps: Jobs over days.
            run_one: Runs one of them, with tags for its run.
            then: What the command will run after these.
        """
        for number, step in enumerate(steps):
            pending = self._write_down([*steps[number:], *then])
            run_one(step, {**step.tags, **pending.tags})

    def take_over_pending(self, own: Sequence[PlannedJob]) -> list[PlannedJob]:
        """Take over what dead commands had yet to run, but for what `own` does anyway."""
        self._write_down(own)
        found: list[PlannedJob] = []
        for pending in pending_in(self._home):
            rest = self._from_dead(pending)
            if rest is None:
                continue
            if not _covered(rest, own[-1]):
                found += [PlannedJob(one.job, one.days, _LEFT, one.tags) for one in rest.steps]
                self._write_down([*found, *own])
            forget(self._home, pending.command)
        return found

    def _from_dead(self, pending: Pending) -> Pending | None:
        lease = lease_store(self._home, pending.command).read()
        if lease is not None and not process_is_gone(lease):
            return None
        return remaining(self._instance, pending)

    def _write_down(self, steps: Sequence[PlannedJob]) -> Pending:
        jobs = tuple(PendingJob(one.job, one.days, one.tags) for one in steps)
        pending = Pending(self._id, jobs)
        save(self._home, pending)
        return pending


def _covered(rest: Pending, own: PlannedJob) -> bool:
    """Return whether the last step of a command makes what a dead one was about to make.

    It does not where the dead one was to do something anew that this one does not.
    """
    last = rest.steps[-1]
    anew = {tag for step in rest.steps for tag in step.tags.items()}
    same_days = last.days.first in own.days and last.days.last in own.days
    return last.job == own.job and same_days and anew <= {*own.tags.items()}


@contextmanager
def command(instance: dg.DagsterInstance, storage: Storage, task: str) -> Iterator[Command]:
    """Begin a command that writes a lake: end what died, and wait for another writer.

    Args:
        instance: Where its runs are recorded.
        storage: The lake's.
        task: What the command does, for messages.
    """
    end_what_died(instance)
    home = home_of(instance)
    with leases_of(home, uuid.uuid4().hex, task) as leases:
        dead = leases.hold_lake(storage, _say_waiting)
        if dead is not None:
            _end_runs_of(instance, dead)
        with _forgotten_at_the_end(home, leases):
            yield Command(instance, leases)


@contextmanager
def _forgotten_at_the_end(home: Path, leases: Leases) -> Iterator[None]:
    """Drop what the command had yet to run, however it ends; but for its death."""

    def drop() -> None:
        if leases.kept():  # else another one goes on with it
            forget(home, leases.lease.owner)

    with when_stopped(drop):
        try:
            yield
        finally:
            drop()


def end_what_died(instance: dg.DagsterInstance) -> None:
    """End the runs whose process is gone, and say so."""
    for run in end_dead_runs(instance, Observations(), lambda _: True):
        _say_ended(run)


def _end_runs_of(instance: dg.DagsterInstance, dead: Lease) -> None:
    """End the runs of the process that died with the lake's lease."""
    for run in instance.get_runs(dg.RunsFilter(statuses=AT_WORK)):
        lease = lease_store(home_of(instance), run.run_id).read()
        if lease is not None and lease.process == dead.process:
            end_run(instance, run, lease, lambda _: True)
            _say_ended(run)


def _say_ended(run: dg.DagsterRun) -> None:
    console(stderr=True).print(
        f"Run {run.run_id[:8]} of `{run.job_name}` had died; it is marked as failed now."
    )


def _say_waiting(writer: Lease) -> None:
    console(stderr=True).print(f"Waiting for {writer}, which writes this lake (Ctrl-C stops) ...")
