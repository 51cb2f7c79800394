"""The daily predictions.

What belongs here: scoring as an asset. What does not: who is eligible and how pairs are scored
(conversion_platform.inference).
"""

import dagster as dg

from conversion_platform.defs.features import FEATURES
from conversion_platform.defs.lake_asset import asset_of, days_of, materialized, table_spec
from conversion_platform.defs.resources import Platform
from conversion_platform.inference import DAILY_PREDICTIONS, predict_days
from conversion_platform.training import champions


@asset_of(
    table_spec(
        DAILY_PREDICTIONS,
        group="inference",
        kinds=("xgboost", "duckdb", "parquet"),
        deps=["users_history", "jobs_history", "events", *FEATURES, "champion_model"],
    )
)
def daily_predictions(
    context: dg.AssetExecutionContext, platform: Platform
) -> dg.MaterializeResult:
    with platform.session() as session:
        parts = champions(session.lake, days_of(context))
        predicted = [day for version, days in parts for day in predict_days(session, days, version)]
    return materialized(
        predicted,
        {
            "model_version": parts[-1][0],
            "eligible_users": predicted[-1].eligible_users,
            "open_jobs": predicted[-1].open_jobs,
            "scored_pairs": sum(day.scored_pairs for day in predicted),
            "messages": [day.message for day in predicted if day.message],
        },
    )
