"""Copies the ledger into the lake, day by day, without phone numbers and words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from conversion_platform.applications.job_of_the_day import JOB_OF_THE_DAY
from conversion_platform.days import ONE_DAY, DayRange, day_start
from conversion_platform.lake import Session, registered
from conversion_platform.messaging.ledger import Ledger, hashed, stamp
from conversion_platform.messaging.tables import MESSAGE_STATES, REPLIES, SENT_MESSAGES
from conversion_platform.process import with_progress

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake import Column, Table, Written
    from conversion_platform.settings import Settings

BATCH = 50_000
MESSAGES_OF_DAYS = f"""
    SELECT {", ".join(column.name for column in SENT_MESSAGES.columns)}
    FROM messages WHERE day BETWEEN ? AND ? ORDER BY message_id
"""
STATES_OF_DAY = """
    SELECT message_id, sequence, user_id, job_id, cohort, s.state, s.reason, s.rule_id, s.at
    FROM messages JOIN message_states s USING (message_id)
    WHERE day = ? ORDER BY message_id, sequence
"""
REPLIES_BETWEEN = """
    SELECT reply_id, message_id, user_id, kind, rule_id, suppressed, needs_person, at
    FROM replies WHERE at >= ? AND at < ? ORDER BY reply_id
"""


def snapshot(session: Session, ledger: Ledger, days: DayRange) -> list[Written]:
    """Write the partitions of sent_messages, message_states and replies of `days`.

    The same ledger gives the same bytes. Receipts and replies come late: take the days of
    `outcome_days` again with every run. A day that was not assigned gets no empty partition.

    Args:
        session: Settings, lake and DuckDB connection.
        ledger: What is copied.
        days: Campaign days.
    """
    assigned = set(session.lake.days(JOB_OF_THE_DAY))
    written: list[Written] = []
    for day in with_progress(days):
        for table, rows in _rows_of(ledger, session.settings, day):
            first = next(rows, None)
            if first is not None:
                written.append(_write(session, table, day, chain([first], rows)))
            elif day in assigned:
                written.append(_write(session, table, day, rows))
    return written


def _rows_of(
    ledger: Ledger, settings: Settings, day: date
) -> Iterator[tuple[Table, Iterator[dict[str, Any]]]]:
    yield SENT_MESSAGES, messages_of(ledger, DayRange.of(day))
    yield MESSAGE_STATES, map(dict, ledger.rows(STATES_OF_DAY, day.isoformat()))
    yield REPLIES, _replies(ledger, settings, day)


def messages_of(ledger: Ledger, days: DayRange) -> Iterator[dict[str, Any]]:
    """Return the rows of sent_messages for `days`."""
    found = ledger.rows(MESSAGES_OF_DAYS, days.first.isoformat(), days.last.isoformat())
    return map(dict, found)


def _replies(ledger: Ledger, settings: Settings, day: date) -> Iterator[dict[str, Any]]:
    zone = settings.platform.time_zone
    bounds = (stamp(day_start(day, zone)), stamp(day_start(day + ONE_DAY, zone)))
    for row in ledger.rows(REPLIES_BETWEEN, *bounds):
        # With the provider's id, anybody who may ask the provider finds the phone number.
        yield {**dict(row), "reply_id": hashed(f"reply|{row['reply_id']}")}


def _write(session: Session, table: Table, day: date, rows: Iterator[dict[str, Any]]) -> Written:
    with ledger_rows(session.con, table, rows) as query:
        return session.lake.write(session.con, table, query, day)


@contextmanager
def ledger_rows(
    con: duckdb.DuckDBPyConnection, table: Table, rows: Iterator[dict[str, Any]]
) -> Iterator[str]:
    """Return SQL over rows from the ledger, with the columns and types of `table`."""
    import pyarrow

    schema = pyarrow.schema([(column.name, _arrow_type(column)) for column in table.columns])
    batches = []
    while part := list(islice(rows, BATCH)):
        batches.append(pyarrow.RecordBatch.from_pylist(part, schema))
    name = f"_ledger_{table.name}"
    with registered(con, name, pyarrow.Table.from_batches(batches, schema)):
        casts = ", ".join(
            f'CAST("{column.name}" AS {column.type}) AS "{column.name}"' for column in table.columns
        )
        yield f"SELECT {casts} FROM {name}"


def _arrow_type(column: Column) -> Any:
    """SQLite has no booleans and no times: they come as numbers and text."""
    import pyarrow

    return pyarrow.int64() if column.type in ("INTEGER", "BOOLEAN") else pyarrow.string()
