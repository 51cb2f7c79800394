"""The messages and what came of them.

What belongs here: planning, sending and measuring as assets. What does not: who may get a
message and when, or how one is never sent twice (conversion_platform.messaging).
"""

from datetime import date, datetime

import dagster as dg

from conversion_platform.days import day_start
from conversion_platform.defs.lake_asset import (
    ThreeTables,
    asset_of,
    assets_of,
    days_of,
    materialized,
    table_spec,
    three_results,
)
from conversion_platform.defs.resources import Platform
from conversion_platform.messaging import (
    MESSAGE_STATES,
    OUTCOMES,
    REPLIES,
    SENT_MESSAGES,
    as_of_day,
    measure_outcomes,
    outcome_days,
    plan_messages,
    replay_day,
    send_due,
    snapshot,
)
from conversion_platform.process import with_progress

GROUP = "messaging"
ONLY_SEND = "conversion_platform/only_send"
"""Tag of runs that send what is planned and plan nothing: a message is planned only by a run in
which the checks on users, predictions and assignments have just passed."""
REPLAN = "conversion_platform/replan"
"""Tag of runs that decide again about suppressed messages that never left."""
KINDS = ("sqlite", "duckdb", "parquet")


def message_specs() -> list[dg.AssetSpec]:
    """Return the specs; Dagster would load a list of them as assets of their own."""
    deps = ["job_of_the_day", "users", "jobs", "users_history", "jobs_history"]
    return [
        table_spec(SENT_MESSAGES, group=GROUP, kinds=KINDS, deps=deps),
        # Both are read from the ledger, which sending fills.
        table_spec(MESSAGE_STATES, group=GROUP, kinds=KINDS, deps=["sent_messages"]),
        table_spec(REPLIES, group=GROUP, kinds=KINDS, deps=["sent_messages"]),
    ]


@assets_of("messages", message_specs(), pool=None)  # sending does not wait for the lake
def messages(context: dg.AssetExecutionContext, platform: Platform) -> ThreeTables:
    """Plan the messages of the days, send what is due, and write down where each stands."""
    days = days_of(context)
    plans = context.run.tags.get(ONLY_SEND) is None
    with (
        platform.messaging(exclusive=True) as (ledger, provider),
        platform.session(writes_lake=False) as session,
    ):
        for day in with_progress(days):
            if plans:
                again = replanning_time(context, platform, day)
                planned = plan_messages(session, ledger, day, again)
                context.log.info(f"{day}: {planned}")
            if session.settings.platform.clock == "replay":
                summary = replay_day(ledger, provider, session.settings, day)
                context.log.info(f"{day}: {summary}")
        if session.settings.platform.clock == "wall":
            summary = send_due(ledger, provider, session.settings, platform.now(), platform.now)
            context.log.info(str(summary))
        written = snapshot(session, ledger, outcome_days(session.settings, days))
    return three_results(message_specs(), written)


def replanning_time(
    context: dg.AssetExecutionContext, platform: Platform, day: date
) -> datetime | None:
    """Return when suppressed messages of a day are decided about again; None: they are not.

    A day that is over keeps its messages. With the replay clock no day is, and planning belongs to
    the beginning of its day.
    """
    if REPLAN not in context.run.tags:
        return None
    today = platform.today()
    if today is None:
        return day_start(day, platform.settings.platform.time_zone)
    return platform.now() if day >= today else None


@asset_of(
    table_spec(
        OUTCOMES, group=GROUP, kinds=KINDS, deps=["job_of_the_day", "sent_messages", "events"]
    )
)
def outcomes(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    days = days_of(context)
    with platform.session() as session, platform.messaging() as (ledger, _):
        open_days = outcome_days(session.settings, days)
        # The run of a day happens in its morning: events of that day are still to come.
        as_of = as_of_day(session.lake, days)
        written = measure_outcomes(session, ledger, open_days, as_of)
    return materialized(written)
