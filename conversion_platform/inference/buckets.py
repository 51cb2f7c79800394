"""Users in buckets of neighbouring ids, each with only its own part of the lake.

The feature query of a bucket would otherwise read and aggregate the events of all users again
for every bucket, and time would grow with the square of the users.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conversion_platform.lake import Select, file_sql, quoted
from conversion_platform.marketplace import EVENTS

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from conversion_platform.days import DayRange
    from conversion_platform.lake import Lake, Session, Table

ROW_GROUP = 16_384


@dataclass(frozen=True)
class Bucket:
    """Users `first` to `last` (ids, both included) of the eligible ones, in the order of ids."""

    first: str
    last: str

    def holds(self, column: str = "user_id") -> str:
        """Return SQL condition for the ids of the bucket."""
        return f"{column} BETWEEN {quoted(self.first)} AND {quoted(self.last)}"


def buckets(con: duckdb.DuckDBPyConnection, users: str, size: int) -> Iterator[Bucket]:
    """Cuts the users of a relation into buckets of `size` neighbours."""
    ends = con.execute(
        f"""SELECT min(user_id), max(user_id)
            FROM (SELECT user_id, (row_number() OVER (ORDER BY user_id) - 1) // {size} AS bucket
                  FROM {users})
            GROUP BY bucket ORDER BY bucket"""
    ).fetchall()
    return (Bucket(first, last) for first, last in ends)


def sort_events(session: Session, days: DayRange, path: Path) -> str:
    """Write the events of `days` to `path`, sorted by user; return SQL that reads them.

    In the lake they are sorted by user within each day only, in row groups that are too large
    for the statistics to skip the users of other buckets.
    """
    session.con.execute(
        f"COPY (SELECT * FROM {session.lake.select(EVENTS, days)} ORDER BY user_id) "
        f"TO {quoted(str(path))} (FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP})"
    )
    return f"read_parquet([{file_sql(path)}], hive_partitioning = false)"


def narrowed(lake: Lake, bucket: Bucket, events: str) -> Select:
    """Return a `select` over the lake that reads only the users of a bucket.

    Args:
        lake: What is read.
        bucket: The users.
        events: SQL over the events of the days that will be asked for, from `sort_events`.
    """

    def select(table: Table, days: DayRange | None = None) -> str:
        if "user_id" not in {column.name for column in table.columns}:
            return lake.select(table, days)
        rows = events if table == EVENTS else lake.select(table, days)
        return f"(SELECT * FROM {rows} WHERE {bucket.holds()})"

    return select
