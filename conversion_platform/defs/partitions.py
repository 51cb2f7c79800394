"""The partitions of all assets: one a calendar day.

What belongs here: which days there are. What does not: what happens on them.
"""

from __future__ import annotations

import dagster as dg

from conversion_platform.settings import Settings


def days_partitions(settings: Settings) -> dg.DailyPartitionsDefinition:
    """Return one partition a calendar day; the day under way has one too."""
    return dg.DailyPartitionsDefinition(
        start_date=settings.platform.start_date.isoformat(),
        timezone=settings.platform.time_zone,
        end_offset=1,
    )
