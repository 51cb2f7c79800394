"""Records the output of the stages as events: one query over a lake table for each type.

`record` may be run again for the same days: an event is not added twice. A day without a partition
adds nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from conversion_platform.applications.job_of_the_day import JOB_OF_THE_DAY
from conversion_platform.days import DayRange
from conversion_platform.event_log.types import event_type_named
from conversion_platform.event_log.writer import Appended, append
from conversion_platform.inference import DAILY_PREDICTIONS
from conversion_platform.lake import Session, Table, quoted
from conversion_platform.marketplace import JOBS_HISTORY, USERS_HISTORY
from conversion_platform.messaging import MESSAGE_STATES, OUTCOMES, REPLIES

if TYPE_CHECKING:
    from conversion_platform.lake import Lake
    from conversion_platform.settings import Settings

RECENT_SNAPSHOTS = 31
OUTCOME_TIMES = {
    "click": "clicked_at",
    "conversion": "converted_at",
    "conversion_any": "converted_any_at",
    "opt_out": "opted_out_at",
}


def record(
    session: Session, event_type: str, days: DayRange, recorded_at: datetime | None = None
) -> Appended:
    """Append the output of the stages for `days` as events of one type.

    For stages without times of events (predictions, assignments, promotions), `occurred_at` is
    the time at which that day's run is due.

    Args:
        session: Settings, lake and DuckDB connection.
        event_type: One of `EVENT_TYPES`.
        days: Days of the tables (of the assignment, for outcomes).
        recorded_at: See `append`.

    Raises:
        EventLogError: see `append`.
    """
    spec = event_type_named(event_type)
    query = QUERIES[spec.name](session, days)
    if spec.name == "snapshot":
        days = DayRange(date.min, date.max)  # a run writes snapshots of other days again
    return append(session, spec.name, query, days, recorded_at)


def _snapshots(session: Session, days: DayRange) -> str:
    parts = [
        part for table in (USERS_HISTORY, JOBS_HISTORY) for part in _captured(session, table, days)
    ]
    return " UNION ALL ".join(parts) or (
        "SELECT NULL::DATE AS dt, NULL::TIMESTAMPTZ AS occurred_at, NULL AS table_name, "
        '0 AS "rows", 0 AS gone, NULL AS fingerprint WHERE false'
    )


def _captured(session: Session, table: Table, days: DayRange) -> Iterator[str]:
    """Yield SQL of the event of each snapshot that a run may have written: others are logged."""
    for day in _lately_written(session.lake.days(table), days):
        due = _run_time(session.settings, f"DATE '{day}'")
        yield f"""
            SELECT DATE '{day}' AS dt, {due} AS occurred_at,
                {quoted(table.name)} AS table_name, count(*) FILTER (present) AS "rows",
                count(*) FILTER (NOT present) AS gone,
                {quoted(_sha256(session.lake, table, day))} AS fingerprint
            FROM {session.lake.select(table, DayRange.of(day))}"""


def _lately_written(captured: list[date], days: DayRange) -> list[date]:
    """Return the snapshots that a run may have written.

    Those are the newest up to its last day; the one after that, which is written again where the
    last is replaced; and the first, which is written again where older ones are folded into it.
    """
    until = [day for day in captured if day in days][-RECENT_SNAPSHOTS:]
    after = [day for day in captured if day > days.last][:1]
    return sorted({*captured[:1], *until, *after})


def _prediction_batches(session: Session, days: DayRange) -> str:
    return f"""
        SELECT dt, {_run_time(session.settings)} AS occurred_at, model_version,
               max(features_day) AS features_day, count(DISTINCT user_id) AS users,
               count(*) AS "rows", {_fingerprints(session.lake, days)} AS fingerprint
        FROM {session.lake.select(DAILY_PREDICTIONS, days)}
        GROUP BY dt, model_version
    """


def _assignments(session: Session, days: DayRange) -> str:
    return _copied(
        "assignment",
        session.lake,
        JOB_OF_THE_DAY,
        days,
        {"occurred_at": _run_time(session.settings)},
    )


def _message_states(session: Session, days: DayRange) -> str:
    return _copied("message_state", session.lake, MESSAGE_STATES, days, {"occurred_at": '"at"'})


def _replies(session: Session, days: DayRange) -> str:
    return _copied("reply", session.lake, REPLIES, days, {"occurred_at": '"at"'})


def _outcomes(session: Session, days: DayRange) -> str:
    parts = [
        _copied(
            "outcome", session.lake, OUTCOMES, days, {"occurred_at": time, "kind": quoted(kind)}
        )
        + f" WHERE {time} IS NOT NULL"
        for kind, time in OUTCOME_TIMES.items()
    ]
    return " UNION ALL ".join(parts)


def _promotions(session: Session, _days: DayRange) -> str:
    from conversion_platform.training import promotions

    rows = ["(NULL::DATE, NULL, NULL, 0, NULL, NULL)"]  # sets the number and names of the columns
    rows += [
        f"(DATE '{one.day}', {quoted(one.version)}, "
        f"{quoted(one.previous) if one.previous else 'NULL'}, {one.number}, "
        f"{quoted(one.reason)}, {quoted(one.by)})"
        for one in promotions(session.lake)
    ]
    return (
        f"SELECT dt, {_run_time(session.settings)} AS occurred_at, model_version, "
        f"previous_version, number, reason, promoted_by FROM (VALUES {', '.join(rows)}) "
        "AS p(dt, model_version, previous_version, number, reason, promoted_by) WHERE number > 0"
    )


Query = Callable[[Session, DayRange], str]
QUERIES: dict[str, Query] = {
    "snapshot": _snapshots,
    "prediction_batch": _prediction_batches,
    "assignment": _assignments,
    "message_state": _message_states,
    "reply": _replies,
    "outcome": _outcomes,
    "model_promotion": _promotions,
}


def _copied(
    event_type: str, lake: Lake, table: Table, days: DayRange, given: dict[str, str]
) -> str:
    """Return SQL that selects a type's columns from a table, some of them as expressions."""
    names = [column.name for column in event_type_named(event_type).own_columns]
    taken = [f'"{name}"' for name in ("dt", *names) if name not in given]
    made = [f'{expression} AS "{name}"' for name, expression in given.items()]
    return f"SELECT {', '.join(taken + made)} FROM {lake.select(table, days)}"


def _run_time(settings: Settings, day: str = "dt") -> str:
    """Return SQL for the time at which the run of a day is due: the same in every replay."""
    clock, zone = settings.schedule.daily_at, quoted(settings.platform.time_zone)
    return f"(({day} + TIME '{clock.isoformat()}') AT TIME ZONE {zone})"


def _fingerprints(lake: Lake, days: DayRange) -> str:
    """Return SQL for the sha256 of the partition of `dt`."""
    cases = [
        f"WHEN DATE '{day}' THEN {quoted(_sha256(lake, DAILY_PREDICTIONS, day))}"
        for day in lake.days(DAILY_PREDICTIONS)
        if day in days
    ]
    return f"CASE dt {' '.join(cases)} END" if cases else "NULL"


def _sha256(lake: Lake, table: Table, day: date) -> str:
    return hashlib.sha256(lake.storage.read(lake.key(table, day))).hexdigest()
