"""What starts a training: the weekly schedule, here.

It is also started by a failed drift check (defs/monitoring/automation.py); by the commands `train`,
`run` (and `demo`, `example`) where the first day has no champion, and `run --weekly-training`
(runs/planning.py); after its process died (defs/liveness, or the next command: runs/commands.py);
and by a person on Dagster's pages.
"""

from __future__ import annotations

import dagster as dg

from conversion_platform.defs.automation import schedule_for_today
from conversion_platform.defs.binding import settings_in_force

TRAIN = dg.define_asset_job(
    "train",
    dg.AssetSelection.groups("training") | dg.AssetSelection.assets("log_promotion"),
    description="A candidate from the days that have matured; champion if it is not worse. Runs "
    "weekly, after drift, and before the first day.",
)


@dg.definitions
def weekly_training() -> dg.Definitions:
    """Return the training job and its weekly schedule."""
    settings = settings_in_force()
    at = settings.schedule.daily_at
    weekday = (settings.training.train_weekday + 1) % 7  # cron counts from Sunday
    cron = f"{at.minute} {at.hour} * * {weekday}"
    schedule = schedule_for_today(settings, "weekly_training", TRAIN, cron)
    return dg.Definitions(jobs=[TRAIN], schedules=[schedule])
