"""Snapshots of users and jobs that a test wrote into the lake by hand."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.marketplace import JOBS, USERS, USERS_HISTORY, capture_both

if TYPE_CHECKING:
    from conversion_platform.lake import Session

CAPTURED_ON = date(2020, 1, 1)


def keep(session: Session) -> None:
    """Capture users and jobs as they are in the lake now, in place of an earlier snapshot.

    A table that the test did not write is empty.
    """
    for table in (USERS, JOBS):
        if not session.lake.exists(table):
            session.lake.write(session.con, table, table.empty_select())
    again = CAPTURED_ON in session.lake.days(USERS_HISTORY)
    capture_both(session, DayRange.of(CAPTURED_ON), refresh=again)
