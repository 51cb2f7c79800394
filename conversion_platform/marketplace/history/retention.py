"""Forgets how users and jobs were on days long ago."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import ONE_DAY
from conversion_platform.lake import Session
from conversion_platform.marketplace.history.reading import ever_known, known_spans
from conversion_platform.marketplace.history.tables import HISTORIES, SNAPSHOT_TABLES
from conversion_platform.marketplace.history.whole import write_whole

if TYPE_CHECKING:
    from conversion_platform.lake import Lake, Table


FOLDED_AT_ONCE_DAYS = 30
"""A snapshot that becomes the first one is written whole: not every day, then."""


def fold_old_snapshots(session: Session, day: date) -> list[date]:
    """Fold the snapshots of users and jobs that are older than the settings keep them.

    Args:
        session: Settings, lake and DuckDB connection.
        day: The newest day.

    Returns:
        The days whose snapshots were removed.
    """
    before = day - session.settings.platform.keep_snapshots_days * ONE_DAY
    removed: set[date] = set()
    for table in SNAPSHOT_TABLES:
        first = min(session.lake.days(table), default=day)
        if (before - first).days >= FOLDED_AT_ONCE_DAYS:
            removed.update(fold_snapshots(session, table, before))
    return sorted(removed)


def fold_snapshots(session: Session, table: Table, before: date) -> list[date]:
    """Make the newest snapshot up to `before` the first one, and remove those before it.

    Earlier days then see the users, or jobs, of that one. It is written before the others are
    removed, newest first: each of those needs the ones before it, and the first is whole. So
    whatever a crash leaves can be read, the days from the kept one on are as they were, and the
    first snapshot is still old enough for the next run to remove the rest.

    Args:
        session: Settings, lake and DuckDB connection.
        table: USERS_HISTORY or JOBS_HISTORY.
        before: Days up to this one are forgotten.

    Returns:
        The days whose snapshots were removed.
    """
    days = session.lake.days(table)
    old = [day for day in days if day <= before]
    if len(old) < 2:
        return []
    *removed, kept = old
    write_whole(session, HISTORIES[table.name], kept, ended=_ended(session.lake, table, kept))
    for day in reversed(removed):
        session.lake.remove(table, day)
    return removed


def _ended(lake: Lake, table: Table, day: date) -> str:
    """Return SQL (a parenthesised query) of the ids that a day does not know, and days before did.

    Columns: the id; `_cp_known_until`, the first day on which it was known no more.
    """
    key = HISTORIES[table.name].key
    ids = f"(SELECT {key} FROM {ever_known(lake, table)} WHERE known_at_times)"
    until = "max(_cp_known_until)"
    return (
        f"(SELECT {key}, {until} AS _cp_known_until FROM {known_spans(lake, table, ids)} "
        f"WHERE _cp_known_from <= DATE '{day}' GROUP BY {key} HAVING {until} <= DATE '{day}')"
    )
