"""What starts by itself: the daily run, the texts that fall due, the weekly training, and the
retrain that a failed drift check asks for.

What belongs here: schedules and sensors. What does not: what they start (jobs.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from conversion_platform.days import day_of
from conversion_platform.defs import jobs
from conversion_platform.defs.monitoring.assets import DRIFT_CHECK
from conversion_platform.settings import Settings

SENSOR_BATCH = 50


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The schedules at the times that the settings name, in the platform's time zone."""
    at = settings.schedule.daily_at
    send_every = settings.schedule.send_every_minutes
    day_cron = f"{at.minute} {at.hour}"
    cron_weekday = (settings.training.train_weekday + 1) % 7  # cron counts from Sunday
    plans = [
        ("daily_run", jobs.daily, f"{day_cron} * * *"),
        ("weekly_training", jobs.train, f"{day_cron} * * {cron_weekday}"),
    ]
    if settings.platform.clock == "wall":
        plans.append(("texts_due", jobs.send_texts, f"*/{send_every} * * * *"))
    return [schedule_for_today(settings, name, job, cron) for name, job, cron in plans]


def schedule_for_today(
    settings: Settings, name: str, job: dg.UnresolvedAssetJobDefinition, cron: str
) -> dg.ScheduleDefinition:
    """A schedule that runs a job for the calendar day on which it ticks."""
    running = dg.DefaultScheduleStatus.RUNNING
    stopped = dg.DefaultScheduleStatus.STOPPED
    zone = settings.platform.time_zone

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        moment = context.scheduled_execution_time
        return dg.RunRequest(run_key=moment.isoformat(), partition_key=str(day_of(moment, zone)))

    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=zone,
        execution_fn=request,
        default_status=running if settings.schedule.enabled else stopped,
        description=job.description,
    )


@dg.sensor(
    name="retrain_on_drift",
    job=jobs.train,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for one retrain for each failed drift check, and never for the same twice.",
)
def retrain_on_drift(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Reads the drift check's evaluations behind the cursor.

    Dagster has no asset-check sensor, and a failed check does not fail its run. The run key is
    made from the evaluation, so a cursor lost or reset cannot ask again.
    """
    records = evaluations_after(context.instance, int(context.cursor or 0))
    if not records:
        return dg.SkipReason("No new evaluation of the drift check.")
    requests = [
        dg.RunRequest(
            run_key=f"drift-{record.storage_id}",
            partition_key=str(result.metadata["day"].value),
            tags={"conversion_platform/asked_by": DRIFT_CHECK},
        )
        for record, result in drift_evaluations(records)
        if not result.passed
    ]
    return dg.SensorResult(run_requests=requests, cursor=str(records[-1].storage_id))


def evaluations_after(instance: dg.DagsterInstance, storage_id: int) -> list[dg.EventLogRecord]:
    """Check evaluations of any asset that were stored after `storage_id`, oldest first."""
    wanted = dg.EventRecordsFilter(
        event_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION, after_cursor=storage_id
    )
    return list(instance.get_event_records(wanted, limit=SENSOR_BATCH, ascending=True))


def drift_evaluations(
    records: list[dg.EventLogRecord],
) -> Iterator[tuple[dg.EventLogRecord, dg.AssetCheckEvaluation]]:
    """Those of the records that are about the drift check."""
    for record in records:
        event = record.event_log_entry.dagster_event
        result = event.event_specific_data if event else None
        if isinstance(result, dg.AssetCheckEvaluation) and result.check_name == DRIFT_CHECK:
            yield record, result
