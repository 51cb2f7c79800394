"""An instance with many runs: days that ran once and again, and a job that runs all day long."""

from datetime import UTC, datetime, timedelta

import dagster as dg

DAYS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-03-01")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dg.asset(partitions_def=DAYS)
def features(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"dagster/row_count": 100, "of": context.partition_key})


@dg.asset(partitions_def=DAYS)
def sent_messages(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"dagster/row_count": 7, "of": context.partition_key})


@dg.asset_check(asset=features, blocking=True)
def sound() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.asset(partitions_def=DAYS)
def failing() -> None:
    raise RuntimeError("as it should")


JOBS = {
    "daily": dg.define_asset_job("daily", ["features", "sent_messages"]),
    "send_texts": dg.define_asset_job("send_texts", ["sent_messages"]),
    "failing": dg.define_asset_job("failing", ["failing"]),
}
DEFS = dg.Definitions(
    assets=[features, sent_messages, failing], asset_checks=[sound], jobs=list(JOBS.values())
)


def run_once(instance: dg.DagsterInstance, job: str, day: str) -> str:
    """Runs a job for a day; returns the run's id."""
    found = DEFS.resolve_job_def(job).execute_in_process(
        instance=instance, partition_key=day, run_config=QUIET, raise_on_error=False
    )
    return found.run_id


def later(days: int = 1) -> datetime:
    """A moment after everything that a test made."""
    return datetime.now(UTC) + timedelta(days=days)
