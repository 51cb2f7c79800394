"""The point-in-time features.

What belongs here: the feature tables as assets. What does not: any feature's definition
(conversion_platform/features/sql).

Features of a day also count the messages of earlier days (`sent_messages`). That is no dependency
here: messages depend on features, and Dagster would see a cycle.
"""

import dagster as dg

from conversion_platform.defs.lake_asset import (
    FourTables,
    assets_of,
    days_of,
    result_of_table,
    table_spec,
)
from conversion_platform.defs.resources import Platform
from conversion_platform.features import TABLES, build_features

GROUP = "features"


def specs() -> list[dg.AssetSpec]:
    """Return the specs; Dagster would load a list of them as assets of their own."""
    return [
        table_spec(
            table, group=GROUP, deps=["users_history", "jobs_history", "attributes", "events"]
        )
        for table in TABLES
    ]


@assets_of("features", specs())
def features(context: dg.AssetExecutionContext, platform: Platform) -> FourTables:
    with platform.session() as session:
        written = build_features(session, days_of(context))
    effects, users, jobs, categories = (result_of_table(spec, written) for spec in specs())
    return effects, users, jobs, categories
