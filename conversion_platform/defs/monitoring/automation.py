"""The retrain that a failed drift check asks for.

What belongs here: the sensor that reads the drift check's evaluations. What does not: the job
that it starts (defs/training/automation.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from conversion_platform.defs.binding import settings_in_force
from conversion_platform.defs.monitoring.assets import CHECK, DRIFT_CHECK
from conversion_platform.defs.training.automation import TRAIN

NEWEST = 100


@dg.definitions
def retraining() -> dg.Definitions:
    """Return the sensor; it runs by default where schedules do."""
    enabled = settings_in_force().schedule.enabled
    running, stopped = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED
    sensor = dg.SensorDefinition(
        name="retrain_on_drift",
        job=TRAIN,
        evaluation_fn=retrain_on_drift,
        minimum_interval_seconds=30,
        default_status=running if enabled else stopped,
        description="Asks for one retrain for each failed drift check, never twice for the same.",
    )
    return dg.Definitions(sensors=[sensor])


def retrain_on_drift(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Read the drift check's evaluations that are newer than the cursor.

    Dagster has no asset-check sensor, and a failed check does not fail its run. The run key is
    made from the evaluation, so a cursor lost or reset cannot ask again.
    """
    found = evaluations_after(context.instance, float(context.cursor or 0))
    if not found:
        return dg.SkipReason("No new evaluation of the drift check.")
    requests = [
        dg.RunRequest(
            run_key=f"drift-{one.key}",
            partition_key=one.day,
            tags={"conversion_platform/asked_by": DRIFT_CHECK},
        )
        for one in found
        if not one.passed
    ]
    return dg.SensorResult(run_requests=requests, cursor=repr(found[-1].at))


@dataclass(frozen=True)
class CheckEvaluation:
    """One evaluation of the drift check: its own key, when, for which day, and how it ended."""

    key: int
    at: float
    day: str
    passed: bool


def evaluations_after(instance: dg.DagsterInstance, moment: float) -> list[CheckEvaluation]:
    """Return the drift check's evaluations after `moment` (seconds since 1970), oldest first.

    Records are numbered when their run begins, so the number does not say what is new. The
    general query for events refuses a cursor on the SQLite storage that an installation starts
    with; the history of one check works on all of them.
    """
    records = instance.event_log_storage.get_asset_check_execution_history(CHECK.key, limit=NEWEST)
    found = []
    for record in records:
        event = record.event.dagster_event if record.event else None
        result = event.event_specific_data if event else None
        if record.event and isinstance(result, dg.AssetCheckEvaluation):
            day = str(result.metadata["day"].value)
            found.append(CheckEvaluation(record.id, record.event.timestamp, day, result.passed))
    return sorted((one for one in found if one.at > moment), key=lambda one: one.at)
