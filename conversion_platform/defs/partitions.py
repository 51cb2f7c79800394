"""The partitions of all assets: one a calendar day.

What belongs here: which days there are. What does not: what happens on them.
"""

from __future__ import annotations

from datetime import date

import dagster as dg

from conversion_platform.days import ONE_DAY
from conversion_platform.lake import open_lake
from conversion_platform.marketplace import last_replay_day
from conversion_platform.settings import Settings


def days_partitions(
    settings: Settings, run_for: date | None = None
) -> dg.DailyPartitionsDefinition:
    """Return one partition a calendar day; the day under way has one too.

    With the replay clock the last one is the last day of the events source, once it was loaded, or
    the last day that was run.

    Args:
        settings: Those in force.
        run_for: A day that must have one: a command may run a day after the last event.

    Raises:
        LakeError: what the lake says about the source is damaged.
    """
    last = last_day(settings)
    if last and run_for:
        last = max(last, run_for)
    return dg.DailyPartitionsDefinition(
        start_date=settings.platform.start_date.isoformat(),
        end_date=(last + ONE_DAY).isoformat() if last else None,
        timezone=settings.platform.time_zone,
        end_offset=1,
    )


def last_day(settings: Settings) -> date | None:
    """Return the last day that there can be; None means today."""
    if settings.platform.clock == "wall":
        return None
    return last_replay_day(open_lake(settings))
