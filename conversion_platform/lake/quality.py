"""What must hold of every table: a complete key that is unique, and values as declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conversion_platform.lake.sql import file_sql

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.days import DayRange
    from conversion_platform.lake.lake import Lake
    from conversion_platform.lake.table import Column, Table


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
    """Count rows whose key is incomplete or not their own.

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


@dataclass(frozen=True)
class SchemaQuality:
    """How the files of some partitions stand to the declared columns.

    Attributes:
        missing: Declared columns that no file has.
        other_type: Columns of another type, with the type found.
        out_of_range: Columns with values outside of their range, with how many.
    """

    missing: tuple[str, ...]
    other_type: dict[str, str]
    out_of_range: dict[str, int]

    @property
    def holds(self) -> bool:
        return not (self.missing or self.other_type or self.out_of_range)

    def __str__(self) -> str:
        parts = [f"no column {name}" for name in self.missing]
        parts += [f"{name} is {kind}" for name, kind in self.other_type.items()]
        parts += [
            f"{count:,} values of {name} lie outside of its range"
            for name, count in self.out_of_range.items()
        ]
        return "; ".join(parts) or "every column is as declared"


def schema_quality(
    con: duckdb.DuckDBPyConnection, lake: Lake, table: Table, days: DayRange | None = None
) -> SchemaQuality:
    """Compare the columns of a table's files with its declaration.

    Args:
        con: A connection to `lake`.
        lake: Holds the table.
        table: Any table.
        days: Partitions to look at; all of them if not given.
    """
    files = lake.files(table, days)
    if not files:
        return SchemaQuality((), {}, {})
    locations = ", ".join(map(file_sql, files))
    read = f"read_parquet([{locations}], union_by_name = true, hive_partitioning = false)"
    found = _types(con, f"SELECT * FROM {read}")
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    declared = _types(con, f"SELECT {names} FROM ({table.empty_select()})")
    typed = [one for one in table.columns if found.get(one.name) == declared[one.name]]
    return SchemaQuality(
        tuple(name for name in declared if name not in found),
        {name: found[name] for name, kind in declared.items() if found.get(name, kind) != kind},
        _out_of_range(con, read, typed),
    )


def _types(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in con.sql(f"DESCRIBE {query}").fetchall()}


def _out_of_range(
    con: duckdb.DuckDBPyConnection, read: str, columns: list[Column]
) -> dict[str, int]:
    """Count the values of each column that lie outside of its range."""
    limited = [column for column in columns if column.low is not None or column.high is not None]
    if not limited:
        return {}
    counts = ", ".join(
        f'count(*) FILTER ({_outside(column)}) AS "{column.name}"' for column in limited
    )
    row = con.sql(f"SELECT {counts} FROM {read}").fetchall()[0]
    return {column.name: int(count) for column, count in zip(limited, row, strict=True) if count}


def _outside(column: Column) -> str:
    low = f'"{column.name}" < {column.low}' if column.low is not None else None
    high = f'"{column.name}" > {column.high}' if column.high is not None else None
    return " OR ".join(part for part in (low, high) if part)
