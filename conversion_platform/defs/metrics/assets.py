"""The daily metrics.

What belongs here: the metric table and its plot as an asset. What does not: a metric's
definition (conversion_platform/metrics/*.sql).
"""

import dagster as dg

from conversion_platform.defs.lake_asset import (
    asset_of,
    days_of,
    materialized,
    png_metadata,
    table_spec,
)
from conversion_platform.defs.resources import Platform
from conversion_platform.metrics import DAILY_METRICS, compute_metrics, metrics_plot


@asset_of(table_spec(DAILY_METRICS, group="metrics", deps=["outcomes"]))
def daily_metrics(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    days = days_of(context)
    with platform.session() as session:
        written = compute_metrics(session, days)
        plot = metrics_plot(session, days.widened(before=27))
    return materialized(written, {"plot": png_metadata(plot)})
