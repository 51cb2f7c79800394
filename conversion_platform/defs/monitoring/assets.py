"""The daily watch for drift.

What belongs here: the drift report and the check on it. What does not: what is compared with
what (conversion_platform.monitoring).
"""

from typing import Any

import dagster as dg

from conversion_platform.defs.features import FEATURES
from conversion_platform.defs.lake_asset import asset_of, days_of, materialized, table_spec
from conversion_platform.defs.resources import Platform
from conversion_platform.lake import Written
from conversion_platform.monitoring import DRIFT, DriftReport, drift_report
from conversion_platform.process import with_progress

DRIFT_CHECK = "drift_within_limits"
CHECK = dg.AssetCheckSpec(
    DRIFT_CHECK,
    asset=DRIFT.name,
    description="Share of drifted columns within `drift.max_drifted_share`, in a range on its "
    "worst day; a failure asks for a retrain, once.",
)


@asset_of(
    table_spec(
        DRIFT,
        group="monitoring",
        kinds=("evidently", "duckdb", "parquet"),
        deps=[
            "users_history",
            "jobs_history",
            "events",
            *FEATURES,
            "daily_predictions",
            "champion_model",
        ],
    ),
    [CHECK],
)
def drift(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    with platform.session() as session:
        reports = [drift_report(session, day) for day in with_progress(days_of(context))]
        rows = [
            Written(DRIFT.name, report.day, len(report.details), report.bytes) for report in reports
        ]
        pages = [session.lake.storage.location(report.key) for report in reports]
    worst = max(reports, key=lambda report: report.share_drifted)
    return materialized(
        rows,
        {
            "share_drifted": worst.share_drifted,
            "report": page(pages[-1]),
            "drifted_columns": [column.name for column in worst.details if column.drifted],
        },
        [drift_result(worst)],
    )


def page(location: str) -> dg.MetadataValue[Any]:
    """Return a link to a report, whether it lies on S3 or on this machine."""
    if location.startswith("s3://"):
        return dg.MetadataValue.url(location)
    return dg.MetadataValue.path(location)


def drift_result(report: DriftReport) -> dg.AssetCheckResult:
    """Return the check's result for the worst of the days."""
    return dg.AssetCheckResult(
        check_name=DRIFT_CHECK,
        passed=not report.drifted,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{report.share_drifted:.0%} of the columns drifted on {report.day}.",
        metadata={
            "day": report.day.isoformat(),
            "share_drifted": report.share_drifted,
            "model_version": report.model_version,
        },
    )
