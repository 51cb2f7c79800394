"""What starts by itself: the daily run, the texts that fall due, the weekly training, and the
retrain that a failed drift check asks for.

What belongs here: schedules and sensors. What does not: what they start (jobs.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from conversion_platform.days import day_of
from conversion_platform.defs import jobs
from conversion_platform.defs.monitoring.assets import CHECK, DRIFT_CHECK
from conversion_platform.settings import Settings

NEWEST = 100


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
    """Reads the drift check's evaluations that are newer than the cursor.

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
class Evaluation:
    """One evaluation of the drift check: its own key, when, for which day, and how it ended."""

    key: int
    at: float
    day: str
    passed: bool


def evaluations_after(instance: dg.DagsterInstance, moment: float) -> list[Evaluation]:
    """The drift check's evaluations after `moment` (seconds since 1970), oldest first.

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
            found.append(Evaluation(record.id, record.event.timestamp, day, result.passed))
    return sorted((one for one in found if one.at > moment), key=lambda one: one.at)
