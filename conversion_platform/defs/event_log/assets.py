"""The append-only log, one asset for each event type.

What belongs here: which stage each type is logged from. What does not: what an event holds or
how it is kept once (conversion_platform.event_log).
"""

from contextlib import nullcontext

import dagster as dg

from conversion_platform.days import DayRange
from conversion_platform.defs.lake_asset import (
    asset_name,
    asset_of,
    days_of,
    plain_spec,
    table_metadata,
)
from conversion_platform.defs.resources import Platform
from conversion_platform.event_log import EVENT_TYPES, EventType, record
from conversion_platform.messaging import outcome_days
from conversion_platform.settings import Settings

LOGGED_FROM = {
    "snapshot": ("users_history", "jobs_history"),
    "prediction_batch": ("daily_predictions",),
    "assignment": ("job_of_the_day",),
    "message_state": ("message_states",),
    "reply": ("replies",),
    "outcome": ("outcomes",),
    "model_promotion": ("champion_model",),
}


def days_to_log(event_type: str, settings: Settings, days: DayRange) -> DayRange:
    """Return the days whose events may be new; replies and outcomes arrive for earlier days too."""
    if event_type in ("model_promotion", "snapshot"):
        return DayRange(settings.platform.start_date, days.last)
    if event_type in ("message_state", "reply", "outcome"):
        return outcome_days(settings, days)
    return days


def log_asset(event_type: EventType) -> dg.AssetsDefinition:
    """Return the asset that appends one type of event."""
    spec = plain_spec(
        asset_name(event_type.view),
        event_type.description,
        group="event_log",
        kinds=("duckdb", "parquet"),
        deps=LOGGED_FROM[event_type.name],
        metadata=table_metadata(event_type.view, event_type.columns),
    )

    @asset_of(spec)
    def log(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
        of_messages = event_type.name in ("message_state", "reply")
        guard = platform.messaging(exclusive=True) if of_messages else nullcontext()
        with platform.session() as session, guard:
            recorded_at = platform.now() if session.settings.platform.clock == "wall" else None
            days = days_to_log(event_type.name, session.settings, days_of(context))
            done = record(session, event_type.name, days, recorded_at)
        return dg.MaterializeResult(
            metadata={"dagster/row_count": done.new, "already_there": done.already_there}
        )

    return log


log_assets = [log_asset(event_type) for event_type in EVENT_TYPES]
