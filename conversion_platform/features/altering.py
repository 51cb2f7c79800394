"""Alters the future in a scratch copy of the lake: events, messages, users and jobs."""

from __future__ import annotations

from datetime import date

from conversion_platform.days import ONE_DAY, DayRange, day_start
from conversion_platform.features.templates import rendered
from conversion_platform.features.texts import SENT
from conversion_platform.lake import Lake, Session, Table, quoted
from conversion_platform.marketplace import (
    EVENTS,
    JOBS_HISTORY,
    USERS_HISTORY,
    as_of,
    attribute_types,
)

REPEATED_DAYS = 14
_STARTS = {USERS_HISTORY.name: "created_at", JOBS_HISTORY.name: "opened_at"}


def alter_future(session: Session, scratch: Lake, days: DayRange, seed: int) -> None:
    """Delete, change and add to what became known from the first of `days` on.

    Args:
        session: Settings and DuckDB connection.
        scratch: The copy that is altered.
        days: The day whose features must not change, and those after it.
        seed: Of the random choice.
    """
    midnight = day_start(days.first, session.settings.platform.time_zone).isoformat()
    events = session.settings.events
    types = (*events.impression_types, *events.click_types, *events.conversion_types)
    altered = DayRange(days.first - REPEATED_DAYS * ONE_DAY, days.last - ONE_DAY)
    query = rendered(
        "altered_events",
        {
            "events": scratch.select(EVENTS, altered),
            "as_of": midnight,
            "seed": seed,
            "types": ", ".join(quoted(one) for one in types),
            "types_count": len(types),
            "again_days": REPEATED_DAYS,
            "zone": session.settings.platform.time_zone,
            "last": altered.last.isoformat(),
            "late_from": (days.first - max(events.late_days, 1) * ONE_DAY).isoformat(),
        },
    )
    scratch.write_days(session.con, EVENTS, query, altered)
    _alter_messages(session, scratch, midnight, seed)
    for table, column in ((USERS_HISTORY, "left_at"), (JOBS_HISTORY, "closed_at")):
        for captured in scratch.days(table):
            query = _ended_differently(scratch, table, captured, column, midnight)
            scratch.write(session.con, table, query, captured)
        later = _seen_differently(session, scratch, table, days)
        scratch.write(session.con, table, later, days.first + ONE_DAY)


def _alter_messages(session: Session, scratch: Lake, as_of: str, seed: int) -> None:
    for day in scratch.days(SENT):
        sent = scratch.select(SENT, DayRange.of(day))
        altered = rendered("altered_messages", {"sent": sent, "as_of": as_of, "seed": seed})
        scratch.write(session.con, SENT, altered, day)


def _ended_differently(scratch: Lake, table: Table, day: date, column: str, as_of: str) -> str:
    """Who had not left by then stays for ever; who would have stayed leaves at once."""
    return (
        f"SELECT * EXCLUDE (dt) REPLACE (CASE WHEN {column} <= TIMESTAMPTZ '{as_of}' THEN {column} "
        f"WHEN {column} IS NULL THEN TIMESTAMPTZ '{as_of}' + INTERVAL 1 HOUR END AS {column}) "
        f"FROM {scratch.select(table, DayRange.of(day))}"
    )


def _seen_differently(session: Session, scratch: Lake, table: Table, days: DayRange) -> str:
    """From the day after on a third of the rows is gone, and the others say nothing any more."""
    key, start = table.key[0], _STARTS[table.name]
    attributes = attribute_types(session.at(scratch), table)
    seen = as_of(scratch, table, days.first, attributes)
    return (
        f"SELECT {key}, {start}, DATE '{days.first + ONE_DAY}' AS valid_from, "
        f"md5_number_lower({key}) % 3 > 0 AS present FROM {seen} "
        f"UNION ALL BY NAME SELECT * FROM {seen} WHERE false"
    )
