"""The point-in-time features.

What belongs here: the feature tables as assets. What does not: any feature's definition
(conversion_platform/features/sql).
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
from conversion_platform.features import (
    JOB_FEATURES,
    RESPONSE_EFFECTS,
    USER_CATEGORY_FEATURES,
    USER_FEATURES,
    build_effects,
    build_features,
)

GROUP = "features"
SOURCES = ["users_history", "jobs_history", "events"]


@asset_of(table_spec(RESPONSE_EFFECTS, group=GROUP, deps=SOURCES))
def response_effects(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    with platform.session() as session:
        return materialized(build_effects(session, days_of(context)))


def specs() -> list[dg.AssetSpec]:
    """Return the specs; Dagster would load a list of them as assets of their own."""
    deps = [*SOURCES, "attributes", RESPONSE_EFFECTS.name]
    return [
        table_spec(table, group=GROUP, deps=deps)
        for table in (USER_FEATURES, JOB_FEATURES, USER_CATEGORY_FEATURES)
    ]


@assets_of("features", specs())
def features(context: dg.AssetExecutionContext, platform: Platform) -> ThreeTables:
    with platform.session() as session:
        written = build_features(session, days_of(context))
    return three_results(specs(), written)
