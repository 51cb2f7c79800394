"""The texts and what came of them.

What belongs here: planning, sending and measuring as assets. What does not: who may be texted
and when, or how a text is never sent twice (conversion_platform.messaging).
"""

import dagster as dg

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

GROUP = "messaging"
ONLY_SEND = "conversion_platform/only_send"
"""Tag of runs that send what is planned and plan nothing: a text is planned only by a run in which
the checks on users, predictions and assignments have just passed."""
KINDS = ("sqlite", "duckdb", "parquet")
SENT_SPECS = [
    table_spec(SENT_MESSAGES, group=GROUP, kinds=KINDS, deps=["job_of_the_day", "users", "jobs"]),
    table_spec(MESSAGE_STATES, group=GROUP, kinds=KINDS, deps=["job_of_the_day"]),
    table_spec(REPLIES, group=GROUP, kinds=KINDS, deps=["job_of_the_day"]),
]


@assets_of("messages", SENT_SPECS, pool=None)  # goes on beside a training; its lock is the ledger's
def messages(context: dg.AssetExecutionContext, platform: Platform) -> ThreeTables:
    """Plans the texts of the days, sends what is due, and writes down where each stands."""
    days = days_of(context)
    plans = context.run.tags.get(ONLY_SEND) is None
    with (
        platform.messaging(alone=True) as (ledger, provider),
        platform.session(writes_lake=False) as session,
    ):
        for day in days:
            if plans:
                planned = plan_messages(session, ledger, day)
                context.log.info(f"{day}: {planned}")
            if session.settings.platform.clock == "replay":
                summary = replay_day(ledger, provider, session.settings, day)
                context.log.info(f"{day}: {summary}")
        if session.settings.platform.clock == "wall":
            summary = send_due(ledger, provider, session.settings, platform.now(), platform.now)
            context.log.info(str(summary))
        written = snapshot(session, ledger, outcome_days(session.settings, days))
    return three_results(SENT_SPECS, written)


@asset_of(table_spec(OUTCOMES, group=GROUP, kinds=KINDS, deps=["sent_messages", "events"]))
def outcomes(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    days = days_of(context)
    with platform.session() as session, platform.messaging() as (ledger, _):
        open_days = outcome_days(session.settings, days)
        # The run of a day happens in its morning: events of that day are still to come.
        as_of = as_of_day(session.lake, days)
        written = measure_outcomes(session, ledger, open_days, as_of)
    return materialized(written)
