"""What must hold of the predictions before anybody gets a message because of them."""

import dagster as dg

from conversion_platform.defs.checks import checked_days
from conversion_platform.defs.failures import failing_readably
from conversion_platform.defs.resources import Platform
from conversion_platform.inference import (
    DAILY_PREDICTIONS,
    missing_features,
    prediction_quality,
)


@dg.asset_check(
    asset=DAILY_PREDICTIONS.name,
    description="Probabilities lie in 0 to 1, ranks follow the scores from 1 on, and one model "
    "version scored each day.",
    blocking=True,
)
@failing_readably
def predictions_valid(
    context: dg.AssetCheckExecutionContext, platform: Platform
) -> dg.AssetCheckResult:
    with platform.session(writes_lake=False) as session:
        days = checked_days(context, session.lake, DAILY_PREDICTIONS)
        found = prediction_quality(session, days)
    return dg.AssetCheckResult(passed=found.sound, metadata=vars(found))


@dg.asset_check(
    asset=DAILY_PREDICTIONS.name,
    description="Every day of the run has predictions; without any, nobody gets a message.",
)
@failing_readably
def predictions_exist(
    context: dg.AssetCheckExecutionContext, platform: Platform
) -> dg.AssetCheckResult:
    with platform.session(writes_lake=False) as session:
        days = checked_days(context, session.lake, DAILY_PREDICTIONS)
        found = prediction_quality(session, days)
    return dg.AssetCheckResult(
        passed=found.days == len(days),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"days": len(days), "days_with_predictions": found.days},
    )


@dg.asset_check(
    asset=DAILY_PREDICTIONS.name,
    description="Every feature that the model reads is among the features of the day; one that is "
    "not there (its column or file was removed since training) was scored as missing.",
)
@failing_readably
def model_features_present(
    context: dg.AssetCheckExecutionContext, platform: Platform
) -> dg.AssetCheckResult:
    with platform.session(writes_lake=False) as session:
        days = checked_days(context, session.lake, DAILY_PREDICTIONS)
        found = missing_features(session, days)
    missing = sorted({name for names in found.values() for name in names})
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"Scored as missing: {', '.join(missing)}." if missing else None,
        metadata={"missing": missing, "days": [str(day) for day in found]},
    )
