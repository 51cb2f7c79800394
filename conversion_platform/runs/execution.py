"""Runs one job in this process through the same instance that the pages show."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import dagster as dg

from conversion_platform.days import DayRange
from conversion_platform.definitions import build_defs
from conversion_platform.defs.liveness import home_of
from conversion_platform.defs.resources import Platform
from conversion_platform.errors import PlatformError
from conversion_platform.liveness import remove_lease
from conversion_platform.runs.instance import RANGE_END, RANGE_START
from conversion_platform.runs.planning import Step
from conversion_platform.runs.progress import Watcher, expected_seconds, watched
from conversion_platform.settings import Settings
from conversion_platform.stopping import when_stopped

REMEDY = "\n  What to do: "
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Finished:
    """The end of one job."""

    step: Step
    run_id: str
    success: bool
    failed_checks: tuple[str, ...] = field(default=())


def execute(
    instance: dg.DagsterInstance,
    settings: Settings,
    step: Step,
    watch: Watcher,
    tags: Mapping[str, str] | None = None,
) -> Finished:
    """Runs one job in this process.

    Args:
        instance: Where the run is recorded.
        settings: Those in force.
        step: The job and its days.
        watch: Called whenever the progress changes, from another thread.
        tags: For the run.

    Raises:
        PlatformError: what an asset raised, with the name of the asset in front.
    """
    platform = Platform(settings_file=str(settings.file or ""))
    job = build_defs(settings, platform).resolve_job_def(step.job)
    run_id = str(uuid.uuid4())
    names = tuple(node.name for node in job.graph.node_defs)
    with (
        watched(instance, run_id, step, names, expected_seconds(instance, step.job), watch),
        when_stopped(partial(report_cancelled, instance, run_id)),
    ):
        result = job.execute_in_process(
            run_config=QUIET,
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            partition_key=one_day(step.days),
            tags={**range_tags(step.days), **(tags or {})},
        )
    remove_lease(home_of(instance), run_id)
    if not result.success:
        raise failure_of(result)
    failed = tuple(
        _named(evaluation)
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed
    )
    return Finished(step, run_id, True, failed)


def report_cancelled(instance: dg.DagsterInstance, run_id: str) -> None:
    """Say on Dagster's pages that a run was cancelled; its process is about to leave."""
    run = instance.get_run_by_id(run_id)
    if run and not run.is_finished:
        instance.report_run_canceled(run)


def _named(evaluation: dg.AssetCheckEvaluation) -> str:
    name = f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}"
    return f"{name} ({evaluation.description})" if evaluation.description else name


def one_day(days: DayRange) -> str | None:
    """The partition key of a run for one day; a range has none."""
    return days.first.isoformat() if len(days) == 1 else None


def range_tags(days: DayRange) -> dict[str, str]:
    """The tags that make one run of a range of days."""
    if len(days) == 1:
        return {}
    return {RANGE_START: days.first.isoformat(), RANGE_END: days.last.isoformat()}


def failure_of(result: dg.ExecuteInProcessResult) -> PlatformError:
    """The error that ended a run, as a message for a person."""
    broken = [
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.blocking and not evaluation.passed
        if evaluation.severity == dg.AssetCheckSeverity.ERROR
    ]
    if broken:
        return error_of_check(broken[0])
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.STEP_FAILURE:
            return error_of_step(event)
    return PlatformError(
        f"Run {result.run_id} did not finish.", "Look at the run's log on Dagster's pages."
    )


def error_of_check(failed: dg.AssetCheckEvaluation) -> PlatformError:
    """The error for a check that lets nothing be made of what it looked at."""
    facts = {name: value.value for name, value in failed.metadata.items()}
    return PlatformError(
        f"Asset `{failed.asset_key.to_user_string()}` failed its check `{failed.check_name}`: "
        f"{failed.description or facts}",
        "Nothing was made of it. Mend what the check names (`conversion-platform check-sources` "
        "says what is rejected, `conversion-platform sql` shows rows), then run the days again.",
    )


def error_of_step(event: dg.DagsterEvent) -> PlatformError:
    """The error of a failed step; one of ours keeps its own words."""
    chain = [event.step_failure_data.error]
    while chain[-1] is not None:
        chain.append(chain[-1].cause)
    errors = [error for error in chain if error is not None]
    ours = [error for error in errors if REMEDY in error.message]
    # What stands behind one of ours (DuckDB's word, boto3's) is for the page; else the root.
    message = next((error.message for error in ours or errors[::-1]), "no message").strip()
    problem, found, remedy = message.partition(REMEDY)
    if not found:
        remedy = "Look at the run's log on Dagster's pages; if this is a defect, report it."
    else:
        problem = problem.partition(": ")[2] or problem
    return PlatformError(f"Asset `{event.step_key}` failed: {problem.strip()}", remedy.strip())
