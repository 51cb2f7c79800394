"""What a run left in the Dagster instance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg

from conversion_platform.runs.instance import open_instance
from conversion_platform_tests.tiny_platform import settings_in


def materializations(folder: Path, run_id: str) -> dict[str, dict[str, Any]]:
    """The metadata of each asset that a run materialised."""
    return {
        event.asset_key.to_user_string(): dict(
            event.step_materialization_data.materialization.metadata
        )
        for event in events(folder, run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)
    }


def check_results(folder: Path, run_id: str) -> dict[str, Any]:
    """The evaluations of a run's checks, by `asset:check`."""
    found = events(folder, run_id, dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    results = [event.event_specific_data for event in found]
    return {f"{one.asset_key.to_user_string()}:{one.check_name}": one for one in results}


def events(folder: Path, run_id: str, kind: dg.DagsterEventType) -> list[Any]:
    """The events of one type in a run, oldest first."""
    with open_instance(settings_in(folder)) as instance:
        return [entry.dagster_event for entry in instance.all_logs(run_id, of_type=kind)]


def newest_run(folder: Path) -> dg.DagsterRun:
    """The run that was started last."""
    with open_instance(settings_in(folder)) as instance:
        return instance.get_runs(limit=1)[0]


def run_count(folder: Path) -> int:
    """How many runs the instance knows."""
    with open_instance(settings_in(folder)) as instance:
        return instance.get_runs_count()
