"""Ends the runs whose process died, so that they hold no slot, and has Dagster run them again.

What belongs here: what observed leases mean for Dagster's records. What does not: when a
holder counts as dead (conversion_platform.liveness).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dagster as dg

from conversion_platform.liveness import (
    COMMAND_TAG,
    DIED_TAG,
    OBSERVATIONS_UNTIL_DEAD,
    Lease,
    Observations,
    fence_off,
    lease_owners,
    lease_store,
    pending_in,
    remove_lease,
)

AT_WORK = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
BEGUN = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_SUCCESS}
OBSERVATIONS_WITHOUT_A_LEASE = 20
"""In which a run of a release without leases must have begun or ended no step."""

RecordAttempt = Callable[[str], bool]


def home_of(instance: dg.DagsterInstance) -> Path:
    """Return the folder of an instance."""
    return Path(instance.root_directory)


def end_dead_runs(
    instance: dg.DagsterInstance,
    observations: Observations,
    record_attempt: RecordAttempt,
    location: str | None = None,
) -> list[dg.DagsterRun]:
    """End each run whose process died.

    Args:
        instance: Where the runs are recorded.
        observations: What is known of each holder of a lease.
        record_attempt: Whether a run, by the id of the first one of its retries, is run again.
        location: The name of our code location: runs of another one hold no lease of ours.

    Returns:
        The runs that were ended.
    """
    home = home_of(instance)
    ended = []
    for run in instance.get_runs(dg.RunsFilter(statuses=AT_WORK)):
        lease = lease_store(home, run.run_id).read()
        dead = (
            observations.observe(lease)
            if lease
            else _never_came(instance, run, observations, location)
        )
        if dead:
            end_run(instance, run, lease, record_attempt)
            ended.append(run)
    _clear(instance, home, observations)
    return ended


def _never_came(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    observations: Observations,
    location: str | None,
) -> bool:
    """Return whether a run without a lease died before it took one."""
    origin = run.remote_job_origin
    if origin is not None and location not in (None, origin.location_name):
        return False
    steps = len(instance.all_logs(run.run_id, of_type=BEGUN))
    return observations.observe_count(run.run_id, steps) >= (
        OBSERVATIONS_WITHOUT_A_LEASE if steps else OBSERVATIONS_UNTIL_DEAD
    )


def end_run(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    lease: Lease | None,
    record_attempt: RecordAttempt,
) -> None:
    """Record that a run's process died, after which it can publish no more, should it wake."""
    home = home_of(instance)
    if lease is not None:
        fence_off(home, lease)
    _record(instance, run, lease, record_attempt)
    remove_lease(home, run.run_id)


def _record(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    lease: Lease | None,
    record_attempt: RecordAttempt,
) -> None:
    who = str(lease.process) if lease else "its process, before it had taken a lease"
    message = (
        f"This run died: {who} is gone, or stood still for {OBSERVATIONS_UNTIL_DEAD} observations."
    )
    instance.add_run_tags(run.run_id, {DIED_TAG: "yes"})
    if run.status == dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, message)
        return
    if COMMAND_TAG not in run.tags:
        message += _tag_for_retry(instance, run, record_attempt)
    instance.report_run_failed(run, message)


def _tag_for_retry(
    instance: dg.DagsterInstance, run: dg.DagsterRun, record_attempt: RecordAttempt
) -> str:
    """Have Dagster's own retries run it again once; return the words for its log."""
    first = run.root_run_id or run.run_id
    if not record_attempt(first):
        return (
            " It has died too often since the daemon started, and is not run again by itself. "
            "Look for the cause (memory?), then start it from its page."
        )
    again = len(instance.get_runs(dg.RunsFilter(tags={"dagster/root_run_id": first}))) + 1
    instance.add_run_tags(
        run.run_id, {"dagster/max_retries": str(again), "dagster/retry_strategy": "ALL_STEPS"}
    )
    return " It is run again."


def _clear(instance: dg.DagsterInstance, home: Path, observations: Observations) -> None:
    """Remove the leases of runs that have ended, and of dead commands that left nothing to do."""
    waiting = {pending.command for pending in pending_in(home)}
    for owner in set(lease_owners(home)) - waiting:
        if _is_over(instance, lease_store(home, owner).read(), observations):
            remove_lease(home, owner)


def _is_over(instance: dg.DagsterInstance, lease: Lease | None, observations: Observations) -> bool:
    """Return whether nobody needs a lease any more."""
    if lease is None:
        return False
    run = instance.get_run_by_id(lease.owner)
    return observations.observe(lease) if run is None else run.is_finished
