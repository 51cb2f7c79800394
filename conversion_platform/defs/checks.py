"""Checks that come from a table's declaration, and how any check finds its days.

What belongs here: the factory over the schemas. What does not: a stage's own checks
(`<stage>/checks.py`) or checks that an asset makes while it works (`<stage>/assets.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import dagster as dg

from conversion_platform.applications.job_of_the_day import JOB_OF_THE_DAY
from conversion_platform.days import DayRange
from conversion_platform.defs.failures import failing_readably
from conversion_platform.defs.lake_asset import asset_name, days_of
from conversion_platform.defs.resources import Platform
from conversion_platform.features import (
    JOB_FEATURES,
    RESPONSE_EFFECTS,
    USER_CATEGORY_FEATURES,
    USER_FEATURES,
)
from conversion_platform.inference import DAILY_PREDICTIONS
from conversion_platform.lake import Lake, Session, Table, key_quality, schema_quality
from conversion_platform.marketplace import EVENTS, JOBS, JOBS_HISTORY, USERS, USERS_HISTORY
from conversion_platform.messaging import MESSAGE_STATES, OUTCOMES, REPLIES, SENT_MESSAGES
from conversion_platform.metrics import DAILY_METRICS
from conversion_platform.training import TRAINING_EXAMPLES

CHECKED_TABLES = (
    USERS,
    JOBS,
    USERS_HISTORY,
    JOBS_HISTORY,
    EVENTS,
    RESPONSE_EFFECTS,
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


DUE_DAILY = (USER_FEATURES, DAILY_PREDICTIONS, JOB_OF_THE_DAY, SENT_MESSAGES, DAILY_METRICS)
"""What each day must bring, or people get no messages and nobody sees why."""


def checked_days(context: dg.AssetCheckExecutionContext, lake: Lake, table: Table) -> DayRange:
    """Return the days of the run; the newest partition when a check is started alone."""
    if context.has_partition_key or context.has_partition_key_range:
        return days_of(context)
    lake.require(table)
    return DayRange.of(lake.days(table)[-1])


@contextmanager
def reading(platform: Platform, table: Table) -> Iterator[Session]:
    """Open a session for a check of a table, which waits for no writer of the lake.

    Sending goes on beside one, and so must what is checked after it: for a table of messages only
    a sender is waited for.
    """
    of_messages = table in (SENT_MESSAGES, MESSAGE_STATES, REPLIES)
    guard = platform.messaging(exclusive=True) if of_messages else nullcontext()
    with guard, platform.session(writes_lake=False) as session:
        yield session


def key_check(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that a table's rows are told apart by their key."""
    key = ", ".join(table.key)

    @dg.asset_check(
        asset=asset_name(table.name),
        name="primary_key_unique",
        description=f"No row lacks a part of its key ({key}), and no two rows share one.",
        blocking=True,
    )
    @failing_readably
    def check(context: dg.AssetCheckExecutionContext, platform: Platform) -> dg.AssetCheckResult:
        with reading(platform, table) as session:
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


def schema_check(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that a table's files have the declared columns, types and ranges."""

    @dg.asset_check(
        asset=asset_name(table.name),
        name="columns_match_schema",
        description="Every declared column is there, has its type and stays within its range.",
        blocking=True,
    )
    @failing_readably
    def check(context: dg.AssetCheckExecutionContext, platform: Platform) -> dg.AssetCheckResult:
        with reading(platform, table) as session:
            days = checked_days(context, session.lake, table) if table.daily else None
            found = schema_quality(session.con, session.lake, table, days)
        return dg.AssetCheckResult(passed=found.holds, description=str(found))

    return check


def partition_check(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that the newest day that should be there is there.

    Dagster's freshness looks at the last materialisation, which a backfill of an old day renews.
    """

    @dg.asset_check(
        asset=asset_name(table.name),
        name="newest_partition_exists",
        description="Today's partition exists two hours after the daily run is due; before that, "
        "yesterday's. With the replay clock there is no today, and nothing is checked.",
    )
    @failing_readably
    def check(platform: Platform) -> dg.AssetCheckResult:
        with reading(platform, table) as session:
            days = session.lake.days(table)
        expected = platform.day_expected()
        return dg.AssetCheckResult(
            passed=expected is None or expected in days,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{table.name} has no partition of {expected}."
            if expected and expected not in days
            else None,
            metadata={"newest": str(days[-1]) if days else "none", "expected": str(expected)},
        )

    return check


key_checks = [key_check(table) for table in CHECKED_TABLES]
schema_checks = [schema_check(table) for table in CHECKED_TABLES]
partition_checks = [partition_check(table) for table in DUE_DAILY]
