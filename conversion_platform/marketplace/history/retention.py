"""Forgets how users and jobs were on days long ago."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.lake import Session
from conversion_platform.marketplace.history.tables import HISTORIES
from conversion_platform.marketplace.history.whole import write_whole

if TYPE_CHECKING:
    from conversion_platform.lake import Table


def fold_snapshots(session: Session, table: Table, before: date) -> list[date]:
    """Make the newest snapshot up to `before` the first one, and remove those before it.

    Earlier days then see the users, or jobs, of that one. It is written before the others are
    removed: whatever a crash leaves, the days from it on are as they were.

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
    write_whole(session, HISTORIES[table.name], kept)
    for day in removed:
        session.lake.remove(table, day)
    return removed
