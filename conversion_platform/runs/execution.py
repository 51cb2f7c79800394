"""Runs one job in this process through the same instance that the pages show."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import dagster as dg

from conversion_platform.definitions import build_defs
from conversion_platform.defs.failures import REMEDY
from conversion_platform.defs.lake_asset import one_day, range_tags
from conversion_platform.defs.liveness import home_of
from conversion_platform.defs.resources import Platform
from conversion_platform.errors import PlatformError
from conversion_platform.liveness import remove_lease
from conversion_platform.process import progress_listener, when_stopped
from conversion_platform.runs.dagster_internals import shown_on_pages
from conversion_platform.runs.planning import PlannedJob
from conversion_platform.runs.progress import RunProgress, Watcher, expected_seconds
from conversion_platform.runs.servers import WORKSPACE
from conversion_platform.runs.sqlite import fewer_syncs
from conversion_platform.settings import Settings

LOGGER = "progress"
# A failed command has told a person; a daemon whose dagster.yaml asks for retries leaves it alone.
NOT_TRIED_AGAIN = {"dagster/max_retries": "0"}
ONLY_PROGRESS: dict[str, Any] = {"loggers": {LOGGER: {}}}  # and not Dagster's console


@dataclass(frozen=True)
class Finished:
    """The end of one job."""

    step: PlannedJob
    run_id: str
    success: bool
    failed_checks: tuple[str, ...] = field(default=())


def execute(
    instance: dg.DagsterInstance,
    settings: Settings,
    step: PlannedJob,
    watch: Watcher,
    tags: Mapping[str, str] | None = None,
) -> Finished:
    """Run one job in this process.

    Args:
        instance: Where the run is recorded.
        settings: Those in force.
        step: The job and its days.
        watch: Called whenever the progress changes.
        tags: For the run.

    Raises:
        PlatformError: what an asset raised, with the name of the asset in front.
    """
    platform = Platform(settings_file=str(settings.file or ""))
    defs = build_defs(settings, platform, step.days)
    names = tuple(node.name for node in defs.resolve_job_def(step.job).graph.node_defs)
    progress = RunProgress(step, names, expected_seconds(instance, step.job), watch)
    listening = dg.Definitions.merge(defs, dg.Definitions(loggers={LOGGER: progress.logger}))
    run_id = str(uuid.uuid4())
    stopped = when_stopped(partial(report_cancelled, instance, run_id))
    seen = shown_on_pages(instance, WORKSPACE, step.job)
    with progress_listener(progress.count), stopped, fewer_syncs(), seen:
        result = listening.resolve_job_def(step.job).execute_in_process(
            run_config=ONLY_PROGRESS,
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            partition_key=one_day(step.days),
            tags={**NOT_TRIED_AGAIN, **range_tags(step.days), **(tags or {})},
        )
    remove_lease(home_of(instance), run_id)
    if not result.success:
        raise error_of_run(result)
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
    remove_lease(home_of(instance), run_id)


def latest_facts(instance: dg.DagsterInstance, asset: str) -> dict[str, Any]:
    """Return the metadata of an asset's newest materialisation, by name."""
    event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    found = event.asset_materialization if event else None
    return {name: value.value for name, value in found.metadata.items()} if found else {}


def _named(evaluation: dg.AssetCheckEvaluation) -> str:
    name = f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}"
    return f"{name} ({evaluation.description})" if evaluation.description else name


def error_of_run(result: dg.ExecuteInProcessResult) -> PlatformError:
    """Return the error that ended a run, as a message for a person."""
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
    """Return the error for a check that lets nothing be made of what it looked at."""
    facts = {name: value.value for name, value in failed.metadata.items()}
    return PlatformError(
        f"Asset `{failed.asset_key.to_user_string()}` failed its check `{failed.check_name}`: "
        f"{failed.description or facts}",
        "Nothing was made of it. Fix what the check names (`conversion-platform check-sources` "
        "says what is rejected, `conversion-platform sql` shows rows), then run the days again.",
    )


def error_of_step(event: dg.DagsterEvent) -> PlatformError:
    """Return the error of a failed step; a Failure of ours keeps its words and its remedy."""
    told = event.step_failure_data.user_failure_data
    if told and told.description and REMEDY in told.metadata:
        remedy = str(told.metadata[REMEDY].value)
        return PlatformError(f"Asset `{event.step_key}` failed: {told.description}", remedy)
    return PlatformError(
        f"Asset `{event.step_key}` failed: {_root_message(event)}",
        "Look at the run's log on Dagster's pages; if this is a defect, report it.",
    )


def _root_message(event: dg.DagsterEvent) -> str:
    """Return the message of the error that all others came from."""
    error = event.step_failure_data.error
    while error and error.cause:
        error = error.cause
    return error.message.strip() if error else "no message"
