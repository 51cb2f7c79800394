"""When a model is trained: once a week.

What belongs here: the training job and its schedule. What does not: the retrain that a failed
drift check asks for (defs/monitoring/automation.py).
"""

from __future__ import annotations

import dagster as dg

from conversion_platform.defs.automation import schedule_for_today
from conversion_platform.defs.binding import settings_in_force

TRAIN = dg.define_asset_job(
    "train",
    dg.AssetSelection.groups("training") | dg.AssetSelection.assets("log_model_promotion"),
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
