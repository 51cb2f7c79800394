"""The checked source tables.

What belongs here: users, jobs, their attributes and events as assets, with the checks on what was
rejected. What does not: reading or repairing rows (conversion_platform.marketplace).
"""

import dagster as dg

from conversion_platform.defs.lake_asset import (
    asset_of,
    assets_of,
    days_of,
    materialized,
    table_spec,
    written_metadata,
)
from conversion_platform.defs.resources import Platform
from conversion_platform.marketplace import (
    ATTRIBUTES,
    EVENTS,
    JOBS,
    JOBS_HISTORY,
    USERS,
    USERS_HISTORY,
    Captured,
    Loaded,
    capture_both,
    fold_old_snapshots,
    infer_attributes,
    load_events,
    load_jobs,
    load_users,
)
from conversion_platform.settings import SourceSection
from conversion_platform.training import known_attributes

GROUP = "marketplace"
KINDS = ("duckdb", "parquet")
REFRESH_SNAPSHOT = "conversion_platform/refresh_snapshot"
"""Tag of a run: the day whose snapshots it is to replace."""


def rejects_check(table: str) -> dg.AssetCheckSpec:
    """Return the check that holds the share of rejected rows below the settings' limits."""
    return dg.AssetCheckSpec(
        "reject_rate_within_limits",
        asset=table,
        description="Warns above `sources.*.warn_share` of rejected rows, or of rows with a cell "
        "that cannot be read; fails above `fail_share` of rejected rows.",
        blocking=True,
    )


def rejects_result(table: str, loaded: Loaded, limits: SourceSection) -> dg.AssetCheckResult:
    """Judge what one source's loading rejected."""
    share = loaded.reject_share
    failed = share > limits.fail_share
    return dg.AssetCheckResult(
        asset_key=table,
        check_name="reject_rate_within_limits",
        passed=max(share, loaded.unread_share) <= limits.warn_share,
        severity=dg.AssetCheckSeverity.ERROR if failed else dg.AssetCheckSeverity.WARN,
        description=rejects_words(table, loaded),
        metadata={"share": share, "by_reason": dict(loaded.rejects)},
    )


def rejects_words(table: str, loaded: Loaded) -> str:
    """Return the shares of rejected rows in one sentence, and where to see those rows."""
    dated = loaded.read_rows - loaded.undated_rows
    words = f"{loaded.dated_share:.2%} of {dated:,} rows rejected; see rejected_{table}"
    if loaded.undated_rows:
        words += (
            f". {loaded.undated_share:.2%} of all {loaded.source_rows:,} rows of the source say no "
            f"day; see rejected_{table}_undated"
        )
    if loaded.unread:
        words += f". Cells that cannot be read: {'; '.join(cell.told() for cell in loaded.unread)}"
    return f"{words}."


def loaded_result(table: str, loaded: Loaded, limits: SourceSection) -> dg.MaterializeResult:
    """Return the materialisation of one source table."""
    facts = {
        "read_rows": loaded.read_rows,
        "rejected_rows": sum(loaded.rejects.values()),
        "rejected_by_reason": dict(loaded.rejects),
        **({"unread_cells": [cell.told() for cell in loaded.unread]} if loaded.unread else {}),
        **({"notes": list(loaded.notes)} if loaded.notes else {}),
    }
    main = [part for part in loaded.written if part.table == table]
    return materialized(main, facts, [rejects_result(table, loaded, limits)])


@asset_of(table_spec(USERS, group=GROUP, kinds=KINDS), [rejects_check("users")])
def users(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    today = platform.today() or days_of(context).last
    with platform.session() as session:
        loaded = load_users(session, known_attributes(session, "users"), today)
    return loaded_result("users", loaded, session.settings.sources.users)


@asset_of(table_spec(JOBS, group=GROUP, kinds=KINDS), [rejects_check("jobs")])
def jobs(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    today = platform.today() or days_of(context).last
    with platform.session() as session:
        loaded = load_jobs(session, known_attributes(session, "jobs"), today)
    return loaded_result("jobs", loaded, session.settings.sources.jobs)


def snapshot_specs() -> list[dg.AssetSpec]:
    """Return the specs; Dagster would load a list of them as assets of their own."""
    return [
        table_spec(USERS_HISTORY, group=GROUP, kinds=KINDS, deps=["users"]),
        table_spec(JOBS_HISTORY, group=GROUP, kinds=KINDS, deps=["jobs"]),
    ]


def correction_check(spec: dg.AssetSpec) -> dg.AssetCheckSpec:
    """Return the check that captured days are as the source still shows them."""
    return dg.AssetCheckSpec(
        "past_is_unchanged",
        asset=spec.key,
        description="The source corrects no row that a day was built with; else the days to "
        "build again are named.",
    )


def captured_result(spec: dg.AssetSpec, captured: Captured) -> dg.MaterializeResult:
    """Return the materialisation of one table of snapshots; a day may have had its own before."""
    note = captured.note()
    check = dg.AssetCheckResult(
        asset_key=spec.key,
        check_name=correction_check(spec).name,
        passed=not captured.corrected,
        severity=dg.AssetCheckSeverity.WARN,
        description=note or None,
        metadata={"corrected": captured.corrected},
    )
    return dg.MaterializeResult(
        check_results=[check],
        asset_key=spec.key,
        metadata={
            **written_metadata(captured.written),
            "captured": captured.changes is not None,
            **(captured.changes or {}),
            **({"notes": note} if note else {}),
        },
    )


@assets_of(
    "snapshots", snapshot_specs(), checks=[correction_check(spec) for spec in snapshot_specs()]
)
def snapshots(
    context: dg.AssetExecutionContext, platform: Platform
) -> tuple[dg.MaterializeResult, dg.MaterializeResult]:
    days, replaced = days_of(context), context.run.tags.get(REFRESH_SNAPSHOT)
    with platform.session() as session:
        users, jobs = capture_both(session, days, refresh=replaced == days.last.isoformat())
        fold_old_snapshots(session, days.last)
    of_users, of_jobs = snapshot_specs()
    return captured_result(of_users, users), captured_result(of_jobs, jobs)


@asset_of(table_spec(ATTRIBUTES, group=GROUP, kinds=KINDS, deps=["users", "jobs"]))
def attributes(platform: Platform) -> dg.MaterializeResult:
    with platform.session() as session:
        found = infer_attributes(session)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(found),
            "used": sum(one.used for one in found),
            "columns": [f"{one.table_name}.{one.column_name}: {one.kind}" for one in found],
        }
    )


@asset_of(
    table_spec(EVENTS, group=GROUP, kinds=KINDS, deps=["users_history", "jobs_history"]),
    [rejects_check("events")],
)
def events(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    with platform.session() as session:
        loaded = load_events(session, days_of(context))
    return loaded_result("events", loaded, session.settings.sources.events)
