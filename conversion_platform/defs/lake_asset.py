"""How a lake table becomes an asset: one factory for names, columns, owners and row counts.

What belongs here: what all assets share. What does not: any stage's own work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import wraps
from importlib.metadata import version
from typing import Any

import dagster as dg

from conversion_platform.days import DayRange
from conversion_platform.defs.failures import failing_readably
from conversion_platform.lake import Column, Table, Written
from conversion_platform.process import with_progress

OWNERS = ("team:ml-platform",)
PARTITION = "dagster/partition"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
LAKE_POOL = "lake"
"""Pool of all that writes the lake: its limit is 1, and it counts runs (dagster.yaml)."""
ONE_RUN = dg.BackfillPolicy.single_run()
CODE_VERSION = version("conversion-platform")

ROW_COUNT, BYTES, PARTITIONS = "dagster/row_count", "bytes", "partitions"

SHORTER = {
    "user_category_features": "user_by_category",
    "log_prediction_batch": "log_prediction",
    "log_model_promotion": "log_promotion",
}
"""Names of assets whose table or view is named longer than a node of Dagster's graph shows."""
TABLE_NAME = "dagster/table_name"
DAY = Column("dt", "DATE", "Partition: the calendar day.")

Decorator = Callable[[Callable[..., Any]], dg.AssetsDefinition]


def days_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> DayRange:
    """Return the days that a run was asked for."""
    tags = context.run.tags
    if RANGE_START in tags:
        first, last = tags[RANGE_START], tags[RANGE_END]
        return DayRange(date.fromisoformat(first), date.fromisoformat(last))
    return DayRange.of(date.fromisoformat(context.partition_key))


def one_day(days: DayRange) -> str | None:
    """Return the partition key of a run for one day; a range has none."""
    return days.first.isoformat() if len(days) == 1 else None


def range_tags(days: DayRange) -> dict[str, str]:
    """Return the tags that make one run of a range of days."""
    if len(days) == 1:
        return {}
    return {RANGE_START: days.first.isoformat(), RANGE_END: days.last.isoformat()}


def table_metadata(name: str, columns: Iterable[Column]) -> dict[str, Any]:
    """Return what Dagster shows of a table: by which name SQL knows it, and its columns."""
    shown = [
        dg.TableColumn(column.name, column.type, description=column.description)
        for column in columns
    ]
    return {TABLE_NAME: name, "dagster/column_schema": dg.TableSchema(columns=shown)}


def asset_name(table: str) -> str:
    """Return the name of the asset that writes a table of the lake, or a view of the log."""
    return SHORTER.get(table, table)


def table_spec(
    table: Table,
    *,
    group: str,
    kinds: Iterable[str] = ("duckdb", "parquet"),
    deps: Sequence[Any] = (),
) -> dg.AssetSpec:
    """Return the specification of the asset that writes `table`."""
    columns = (*table.columns, DAY) if table.daily else table.columns
    return plain_spec(
        asset_name(table.name),
        table.description,
        group=group,
        kinds=kinds,
        deps=deps,
        metadata=table_metadata(table.name, columns),
    )


def plain_spec(
    name: str,
    description: str,
    *,
    group: str,
    kinds: Iterable[str],
    deps: Sequence[Any] = (),
    metadata: Mapping[str, Any] | None = None,
) -> dg.AssetSpec:
    """Return the specification of an asset that is not a lake table (a model, a report, a log)."""
    return dg.AssetSpec(
        name,
        description=description,
        group_name=group,
        kinds=set(kinds),
        owners=OWNERS,
        deps=deps,
        metadata=metadata,
    )


def asset_of(spec: dg.AssetSpec, checks: Sequence[dg.AssetCheckSpec] = ()) -> Decorator:
    """Declare one asset from its specification."""

    def declared(body: Callable[..., Any]) -> dg.AssetsDefinition:
        return dg.asset(
            name=spec.key.to_user_string(),
            description=spec.description,
            group_name=spec.group_name,
            kinds=set(spec.kinds),
            owners=spec.owners,
            deps=spec.deps,
            metadata=spec.metadata,
            check_specs=list(checks),
            code_version=CODE_VERSION,
            pool=LAKE_POOL,
        )(failing_readably(_reporting_days(body)))

    return declared


def assets_of(
    name: str,
    specs: Sequence[dg.AssetSpec],
    pool: str | None = LAKE_POOL,
    checks: Sequence[dg.AssetCheckSpec] = (),
) -> Decorator:
    """Declare several assets that one function writes together.

    Args:
        name: Of the step.
        specs: The assets.
        pool: None for what may run beside a run that writes the lake.
        checks: Of these assets.
    """

    def declared(body: Callable[..., Any]) -> dg.AssetsDefinition:
        return dg.multi_asset(name=name, specs=list(specs), check_specs=list(checks), pool=pool)(
            failing_readably(_reporting_days(body))
        )

    return declared


def with_partitions(
    asset: dg.AssetsDefinition, days: dg.PartitionsDefinition | None
) -> dg.AssetsDefinition:
    """Return an asset with a partition a day, or without any; a backfill is one run."""
    by_day = asset.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=days))
    return by_day.with_attributes(backfill_policy=ONE_RUN)


def numbers(values: Mapping[str, float | None]) -> dict[str, float]:
    """Return the figures that could be measured: Dagster plots numbers over partitions."""
    return {name: float(value) for name, value in values.items() if value is not None}


def _reporting_days(body: Callable[..., Any]) -> Callable[..., Any]:
    """Have an asset report each day of a range where its definition has no partitions."""

    @wraps(body)
    def asset(*args: Any, **resources: Any) -> Any:
        results = body(*args, **resources)
        context = dg.AssetExecutionContext.get()
        if context.assets_def.partitions_def is None:
            for result in (results,) if isinstance(results, dg.MaterializeResult) else results:
                report_days(context, result)
        return results

    return asset


def report_days(context: dg.AssetExecutionContext, result: dg.MaterializeResult[Any]) -> None:
    """Tell Dagster that each day of the run was made, with the rows and bytes of that day."""
    key = result.asset_key or context.asset_key
    metadata = result.metadata or {}
    by_day = _figures_by_day(metadata.get(PARTITIONS))
    of_all = {name: value for name, value in metadata.items() if isinstance(value, int | float)}
    for day in with_progress(days_of(context), "days recorded"):
        figures = by_day.get(day.isoformat(), {} if by_day else of_all)
        context.log_event(dg.AssetMaterialization(key, partition=str(day), metadata=figures))


def _figures_by_day(partitions: Any) -> dict[str, dict[str, Any]]:
    """Return the figures of each day of a table; none of a table that is not kept by day."""
    if not isinstance(partitions, dg.TableMetadataValue):
        return {}
    found = [record.data for record in partitions.records]
    return {
        str(one["day"]): {ROW_COUNT: one["rows"], BYTES: one["bytes"]}
        for one in found
        if one["day"]
    }


def written_metadata(written: Sequence[Written]) -> dict[str, Any]:
    """Row count and size of what was written, with a line for each day."""
    per_day = [
        dg.TableRecord({"day": str(part.day or ""), "rows": part.rows, "bytes": part.bytes})
        for part in written
    ]
    return {
        ROW_COUNT: sum(part.rows for part in written),
        BYTES: sum(part.bytes for part in written),
        PARTITIONS: dg.MetadataValue.table(per_day) if per_day else "none",
    }


def materialized(
    written: Sequence[Written],
    more: Mapping[str, Any] | None = None,
    checks: Sequence[dg.AssetCheckResult] = (),
) -> dg.MaterializeResult:
    """Return the result of an asset that wrote lake partitions."""
    return dg.MaterializeResult(
        metadata={**written_metadata(written), **(more or {})}, check_results=list(checks)
    )


ThreeTables = tuple[dg.MaterializeResult, dg.MaterializeResult, dg.MaterializeResult]
FourTables = tuple[
    dg.MaterializeResult, dg.MaterializeResult, dg.MaterializeResult, dg.MaterializeResult
]


def three_results(specs: Sequence[dg.AssetSpec], written: Sequence[Written]) -> ThreeTables:
    """Return the results of a function that wrote three tables, in the order of their specs."""
    first, second, third = specs
    return (
        result_of_table(first, written),
        result_of_table(second, written),
        result_of_table(third, written),
    )


def result_of_table(spec: dg.AssetSpec, written: Sequence[Written]) -> dg.MaterializeResult:
    """Return the result of one of several tables that were written together."""
    own = [part for part in written if part.table == spec.metadata[TABLE_NAME]]
    return dg.MaterializeResult(asset_key=spec.key, metadata=written_metadata(own))


def png_metadata(png: bytes) -> dg.MarkdownMetadataValue:
    """Return an inline picture for the asset's page."""
    import base64

    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{base64.b64encode(png).decode()})")
