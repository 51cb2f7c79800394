"""The uses of the model.

What belongs here: each application as an asset. What does not: who gets which job
(conversion_platform.applications).
"""

import dagster as dg

from conversion_platform.applications.job_of_the_day import (
    JOB_OF_THE_DAY,
    assign_days,
    days_to_assign,
)
from conversion_platform.days import DayRange
from conversion_platform.defs.lake_asset import asset_of, days_of, materialized, table_spec
from conversion_platform.defs.resources import Platform
from conversion_platform.process import with_progress


@asset_of(
    table_spec(
        JOB_OF_THE_DAY,
        group="applications",
        deps=["daily_predictions", "user_features", "users_history", "events"],
    )
)
def job_of_the_day(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    with platform.session() as session, platform.messaging() as (ledger, _):
        days = days_of(context)
        texted = ledger.texted_days(days)
        chosen = days_to_assign(session.lake, days, platform.today(), texted)
        assigned = [
            part for day in with_progress(chosen) for part in assign_days(session, DayRange.of(day))
        ]
    return materialized(
        assigned,
        {
            "treated": sum(day.treated for day in assigned),
            "holdout": sum(day.holdout for day in assigned),
            "by_cohort": assigned[-1].by_cohort if assigned else {},
            "kept_days": [str(day) for day in days if day not in chosen],
            "notes": [day.note for day in assigned if day.note],
        },
    )
