"""Users in buckets of neighbouring ids, each with only its own part of the lake.

The feature query of a bucket would otherwise read and aggregate the events of all users again
for every bucket, and time would grow with the square of the users.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conversion_platform.lake import Lake, quoted
from conversion_platform.marketplace import EVENTS

if TYPE_CHECKING:
    from types import TracebackType

    import duckdb

    from conversion_platform.days import DayRange
    from conversion_platform.lake import Table

ROW_GROUP = 16_384


@dataclass(frozen=True)
class Bucket:
    """Users `first` to `last` (ids, both included) of the eligible ones, in the order of ids."""

    first: str
    last: str

    def holds(self, column: str = "user_id") -> str:
        """SQL condition for the ids of the bucket."""
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


class BucketLake(Lake):
    """A lake whose tables by user hold only the users of `bucket`; read only.

    Tables that are sorted by user are pruned by their statistics. Events are so within each day
    only, in row groups that are too large for buckets: they are sorted once, at first use, into a
    local file that goes when the context ends.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, lake: Lake) -> None:
        super().__init__(lake.storage)
        self.bucket: Bucket | None = None
        self._con = con
        self._files = ExitStack()
        self._sorted: dict[DayRange | None, str] = {}

    def __enter__(self) -> BucketLake:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.close()

    def select(self, table: Table, days: DayRange | None = None) -> str:
        """As `Lake.select`, cut down to the bucket."""
        if self.bucket is None or "user_id" not in {column.name for column in table.columns}:
            return super().select(table, days)
        rows = self._events(days) if table == EVENTS else super().select(table, days)
        return f"(SELECT * FROM {rows} WHERE {self.bucket.holds()})"

    def _events(self, days: DayRange | None) -> str:
        """The events of `days`, sorted by user."""
        if days not in self._sorted:
            path = quoted(str(self._files.enter_context(self.storage.staged())))
            with self.readable_errors():
                self._con.execute(
                    f"COPY (SELECT * FROM {super().select(EVENTS, days)} ORDER BY user_id) "
                    f"TO {path} (FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP})"
                )
            self._sorted[days] = f"read_parquet({path}, hive_partitioning = false)"
        return self._sorted[days]
