"""Checks that come from a table's declaration, and how any check finds its days.

What belongs here: the factory over the schemas. What does not: a stage's own checks
(`<stage>/checks.py`) or checks that an asset makes while it works (`<stage>/assets.py`).
"""

from contextlib import nullcontext

import dagster as dg

from conversion_platform.applications.job_of_the_day import JOB_OF_THE_DAY
from conversion_platform.days import DayRange
from conversion_platform.defs.lake_asset import days_of
from conversion_platform.defs.resources import Platform
from conversion_platform.features import JOB_FEATURES, USER_CATEGORY_FEATURES, USER_FEATURES
from conversion_platform.inference import DAILY_PREDICTIONS
from conversion_platform.lake import Lake, Table, key_quality
from conversion_platform.marketplace import EVENTS, JOBS, USERS
from conversion_platform.messaging import OUTCOMES, SENT_MESSAGES
from conversion_platform.metrics import DAILY_METRICS
from conversion_platform.training import TRAINING_EXAMPLES

KEYED = (
    USERS,
    JOBS,
    EVENTS,
    USER_FEATURES,
    JOB_FEATURES,
    USER_CATEGORY_FEATURES,
    TRAINING_EXAMPLES,
    DAILY_PREDICTIONS,
    JOB_OF_THE_DAY,
    SENT_MESSAGES,
    OUTCOMES,
    DAILY_METRICS,
)


def checked_days(context: dg.AssetCheckExecutionContext, lake: Lake, table: Table) -> DayRange:
    """The days of the run; the newest partition when a check is started alone."""
    if context.has_partition_key or context.has_partition_key_range:
        return days_of(context)
    lake.require(table)
    return DayRange.of(lake.days(table)[-1])


def key_check(table: Table) -> dg.AssetChecksDefinition:
    """The check that a table's rows are told apart by their key."""
    key = ", ".join(table.key)

    @dg.asset_check(
        asset=table.name,
        name="rows_have_their_own_key",
        description=f"No row lacks a part of its key ({key}), and no two rows share one.",
        blocking=True,
    )
    def check(context: dg.AssetCheckExecutionContext, platform: Platform) -> dg.AssetCheckResult:
        guard = platform.messaging(alone=True) if table is SENT_MESSAGES else nullcontext()
        with guard, platform.session(writes_lake=False) as session:
            days = checked_days(context, session.lake, table) if table.daily else None
            found = key_quality(session.con, session.lake, table, days)
        return dg.AssetCheckResult(
            passed=found.holds,
            metadata={
                "rows": found.rows,
                "incomplete": found.incomplete,
                "repeated": found.repeated,
            },
        )

    return check


key_checks = [key_check(table) for table in KEYED]
