"""What a dead command still had to run, as requests for runs, one after another.

What belongs here: which step comes next. What does not: what a command has to run
(conversion_platform.runs), or how it is written down (conversion_platform.liveness).
"""

from __future__ import annotations

import dagster as dg

from conversion_platform.defs.lake_asset import one_day, range_tags
from conversion_platform.defs.liveness.dead_runs import RecordAttempt, home_of
from conversion_platform.liveness import DIED_TAG, Pending, forget, save


def next_request(
    instance: dg.DagsterInstance, pending: Pending, record_attempt: RecordAttempt
) -> dg.RunRequest | None:
    """Return the request for what a dead command would run now; None if there is nothing to ask."""
    rest = remaining(instance, pending)
    name = f"{rest.command}-{len(rest.steps)}" if rest else ""
    if rest is None or not record_attempt(name):
        return None
    tried = len(instance.get_runs(dg.RunsFilter(tags=rest.tags)))
    step = rest.steps[0]
    return dg.RunRequest(
        run_key=f"{name}-{tried}",
        job_name=step.job,
        partition_key=one_day(step.days),
        tags={**step.tags, **rest.tags, **range_tags(step.days)},
    )


def remaining(instance: dg.DagsterInstance, pending: Pending) -> Pending | None:
    """Return what a dead command had yet to run; None if nothing is to be started now.

    A step that is done leaves the list, and one that is under way is waited for. One that failed
    by itself, or that a person canceled, ends it: a person decides, as if the command had said so.
    """
    home = home_of(instance)
    while pending.steps:
        runs = instance.get_runs(dg.RunsFilter(tags=pending.tags), limit=1)
        if not runs or DIED_TAG in runs[0].tags:
            return pending
        if not runs[0].is_finished:
            return None
        if not runs[0].is_success:
            forget(home, pending.command)
            return None
        pending = pending.without_first()
        save(home, pending)
    return None
