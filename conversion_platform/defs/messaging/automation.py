"""When planned messages are sent: as they fall due.

What belongs here: the sending job and its schedule. What does not: planning, which is part of
the daily job.
"""

from __future__ import annotations

import dagster as dg

from conversion_platform.defs.automation import schedule_for_today
from conversion_platform.defs.binding import settings_in_force
from conversion_platform.defs.messaging.assets import ONLY_SEND

SEND_TEXTS = dg.define_asset_job(
    "send_texts",
    dg.AssetSelection.assets("sent_messages", "message_states", "replies"),
    description="Sends what is planned and due now, and takes in receipts and replies.",
    tags={ONLY_SEND: "yes"},
)


@dg.definitions
def messages_due() -> dg.Definitions:
    """Return the sending job and, with the wall clock, its schedule."""
    settings = settings_in_force()
    schedules = []
    if settings.platform.clock == "wall":
        cron = f"*/{settings.schedule.send_every_minutes} * * * *"
        schedules.append(schedule_for_today(settings, "texts_due", SEND_TEXTS, cron))
    return dg.Definitions(jobs=[SEND_TEXTS], schedules=schedules)
