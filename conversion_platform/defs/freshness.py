"""By when the daily run must have made its assets: what Dagster's pages call fresh.

What belongs here: the deadline of a day. What does not: how fresh the source is
(defs/marketplace/checks.py).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import dagster as dg

from conversion_platform.defs.automation import DAILY_GROUPS
from conversion_platform.settings import Settings

DAILY_RUN_TIME = timedelta(hours=2)
"""How long after its time of day a daily run may take before its day counts as missing."""


def daily_freshness(settings: Settings) -> dg.FreshnessPolicy | None:
    """Return the policy of the assets of the daily run; None where no schedule runs them."""
    if settings.platform.clock == "replay" or not settings.schedule.enabled:
        return None
    due = datetime.combine(date.min, settings.schedule.daily_at) + DAILY_RUN_TIME
    return dg.FreshnessPolicy.cron(
        deadline_cron=f"{due.minute} {due.hour} * * *",
        lower_bound_delta=DAILY_RUN_TIME,
        timezone=settings.platform.time_zone,
    )


def with_freshness(
    asset: dg.AssetsDefinition, policy: dg.FreshnessPolicy | None
) -> dg.AssetsDefinition:
    """Return an asset with the policy, if it is one of the daily run."""

    def fresh(spec: dg.AssetSpec) -> dg.AssetSpec:
        daily = spec.group_name in DAILY_GROUPS
        return spec.replace_attributes(freshness_policy=policy) if daily else spec

    return asset.map_asset_specs(fresh)
