"""Hand-made source tables for the tests of inference and of what follows it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from conversion_platform.days import DayRange
from conversion_platform.lake import Session, Table
from conversion_platform.lake.sql import quoted
from conversion_platform.marketplace.tables import EVENTS, JOBS, USERS, USERS_CONTACTS
from conversion_platform_tests.snapshots import keep

if TYPE_CHECKING:
    pass

DAY = date(2026, 3, 10)
LONG_AGO = "2025-06-01 00:00:00+00"

Rows = list[dict[str, Any]]


def literal(value: Any) -> str:
    return "NULL" if value is None else quoted(str(value))


def rows_query(table: Table, rows: Rows) -> str:
    """SQL with the table's columns; what a row does not name is NULL."""
    columns = [(column.name, column.type) for column in table.columns]
    if table.daily:
        columns.append(("dt", "DATE"))
    selects = [
        "SELECT "
        + ", ".join(
            f'CAST({literal(row.get(name))} AS {kind}) AS "{name}"' for name, kind in columns
        )
        for row in rows
    ]
    return " UNION ALL ".join(selects) or table.empty_select()


def write_sources(session: Session, users: Rows, jobs: Rows, events: Rows) -> None:
    """Writes the checked source tables; events by the New York day they happened on."""
    users = [{"created_at": LONG_AGO, **row} for row in users]
    jobs = [{"opened_at": LONG_AGO, **row} for row in jobs]
    for table in (USERS, USERS_CONTACTS):
        session.lake.write(session.con, table, rows_query(table, users))
    session.lake.write(session.con, JOBS, rows_query(JOBS, jobs))
    keep(session)
    full = [
        {"event_id": str(number), "event_type": "click", "recorded_at": row["occurred_at"], **row}
        for number, row in enumerate(events)
    ]
    if not full:
        return
    query = (
        "SELECT * REPLACE ((occurred_at AT TIME ZONE 'America/New_York')::DATE AS dt) "
        f"FROM ({rows_query(EVENTS, full)})"
    )
    days = [day for (day,) in session.con.execute(f"SELECT DISTINCT dt FROM ({query})").fetchall()]
    session.lake.write_days(session.con, EVENTS, query, DayRange.spanning(days))


def event(user: str, job: str, at: str, **more: Any) -> dict[str, Any]:
    return {"user_id": user, "job_id": job, "occurred_at": at, **more}
