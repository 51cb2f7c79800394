"""The jobs over several stages, and the schedule of the daily run.

What belongs here: selections of assets that cross stages, and how a schedule is made. What does
not: automation of a single stage (`<stage>/automation.py`).
"""

from __future__ import annotations

import dagster as dg

from conversion_platform.days import day_of
from conversion_platform.defs.binding import settings_in_force
from conversion_platform.settings import Settings

SOURCE_GROUPS = ("marketplace",)
HISTORY_GROUPS = (*SOURCE_GROUPS, "features")
DAILY_GROUPS = (
    *HISTORY_GROUPS,
    "inference",
    "monitoring",
    "applications",
    "messaging",
    "event_log",
    "metrics",
)

DAILY = dg.define_asset_job(
    "daily",
    dg.AssetSelection.groups(*DAILY_GROUPS),
    description="The day: fresh tables and features, predictions, the job of the day, messages, "
    "the log, metrics and the drift report.",
)
SOURCES = dg.define_asset_job(
    "sources",
    dg.AssetSelection.groups(*SOURCE_GROUPS),
    description="Checked tables alone, for the days that the first features look back to; "
    "`conversion-platform run` runs it where they are missing.",
)
HISTORY = dg.define_asset_job(
    "history",
    dg.AssetSelection.groups(*HISTORY_GROUPS),
    description="Checked tables and features of past days, for training to learn from; "
    "`conversion-platform run` runs it where they are missing.",
)


NO_TODAY = "With the replay clock there is no today: `conversion-platform run` runs its days."


def schedule_for_today(
    settings: Settings, name: str, job: dg.UnresolvedAssetJobDefinition, cron: str
) -> dg.ScheduleDefinition:
    """Return a schedule that runs a job for the calendar day on which it ticks.

    With the replay clock that day is not among the partitions: a tick is skipped with the reason.
    """
    running = dg.DefaultScheduleStatus.RUNNING
    stopped = dg.DefaultScheduleStatus.STOPPED
    zone = settings.platform.time_zone

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if settings.platform.clock == "replay":
            return dg.SkipReason(NO_TODAY)
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


@dg.definitions
def daily_run() -> dg.Definitions:
    """Return the jobs over several stages and the schedule of the daily one."""
    settings = settings_in_force()
    at = settings.schedule.daily_at
    schedule = schedule_for_today(settings, "daily_run", DAILY, f"{at.minute} {at.hour} * * *")
    return dg.Definitions(jobs=[DAILY, SOURCES, HISTORY], schedules=[schedule])
