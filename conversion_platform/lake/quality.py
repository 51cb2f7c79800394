"""What must hold of every table, whatever its columns mean: rows told apart by a complete key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.days import DayRange
    from conversion_platform.lake.lake import Lake
    from conversion_platform.lake.table import Table


@dataclass(frozen=True)
class KeyQuality:
    """How the rows of some partitions stand to their key.

    Attributes:
        rows: Rows looked at.
        incomplete: Rows with a missing part of the key.
        repeated: Rows beyond the first of their key (and day).
    """

    rows: int
    incomplete: int
    repeated: int

    @property
    def holds(self) -> bool:
        return not self.incomplete and not self.repeated


def key_quality(
    con: duckdb.DuckDBPyConnection, lake: Lake, table: Table, days: DayRange | None = None
) -> KeyQuality:
    """Counts rows whose key is incomplete or not their own.

    Args:
        con: A session on `lake`.
        lake: Holds the table.
        table: Any table.
        days: Partitions to look at; all of them if not given.
    """
    key = [*table.key, *(["dt"] if table.daily else [])]
    listed = ", ".join(f'"{column}"' for column in key)
    missing = " OR ".join(f'"{column}" IS NULL' for column in key)
    rows, incomplete, distinct = con.sql(
        f"""SELECT count(*), count(*) FILTER ({missing}), count(DISTINCT ({listed}))
        FROM {lake.select(table, days)}"""
    ).fetchall()[0]
    return KeyQuality(rows, incomplete, rows - distinct)
