"""Writes a snapshot so that it does not depend on the one before it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.lake import quoted, rendered
from conversion_platform.marketplace.history.reading import FIRST_DAY, as_of, valued_types

if TYPE_CHECKING:
    from conversion_platform.lake import Session, Written
    from conversion_platform.marketplace.history.tables import History


def write_whole(
    session: Session, history: History, day: date, replaced: str = "", ended: str = ""
) -> Written:
    """Write a snapshot again, with all rows instead of those that changed.

    The snapshot before it can then be replaced, or removed: whichever of the two a crash leaves,
    this day and all later ones are as they were. Attributes that are not listed any more stay, and
    those that are captured later only are left to be filled in from there.

    Args:
        session: Settings, lake and DuckDB connection.
        history: Of users, or of jobs.
        day: The day of the snapshot.
        replaced: A relation with the rows that the snapshot before will have, if it is replaced.
        ended: A relation with the ids that were known until some day before this one, and that
            day, if the snapshots that say so are removed.
    """
    rows, key = session.lake.select(history.table), history.key
    query = rendered(
        __package__,
        "sql/whole",
        key=key,
        captured=rows,
        replaced=replaced or f"(SELECT {key}, valid_from FROM {rows} WHERE false)",
        ended=ended or f"(SELECT {key}, valid_from AS _cp_known_until FROM {rows} WHERE false)",
        first_day=quoted(FIRST_DAY.isoformat()),
        state=as_of(session.lake, history.table, day, valued_types(session, history, day)),
        day=quoted(day.isoformat()),
    )
    return session.lake.write(session.con, history.table, query, day)
