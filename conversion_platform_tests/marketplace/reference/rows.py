"""The rows of a source, whatever its format: cells, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from conversion_platform_tests.marketplace.reference.files import Found
from conversion_platform_tests.marketplace.reference.names import Columns
from conversion_platform_tests.marketplace.reference.records import csv_records
from conversion_platform_tests.marketplace.reference.settings import How
from conversion_platform_tests.marketplace.reference.verdict import RefusedError


@dataclass(frozen=True)
class Row:
    """A row, or a broken line.

    Attributes:
        source: Its file.
        number: Its number in it.
        folder: Day of its `dt=` folder.
        cells: Its cells by column; None if the line is broken.
    """

    source: str
    number: int
    folder: date | None
    cells: dict[int, Any] | None


@dataclass
class Rows:
    """The rows of all files.

    Attributes:
        columns: Their columns.
        rows: The rows in order.
        lacking: Columns that some file lacks.
        is_csv: Whether a row may repeat a header.
    """

    columns: Columns = field(default_factory=Columns)
    rows: list[Row] = field(default_factory=list)
    lacking: set[int] = field(default_factory=set)
    is_csv: bool = False


def rows_of(kind: str, files: list[Found], how: How) -> Rows:
    """Return the rows of files.

    Raises:
        RefusedError: a file has no header, or the headers do not tell which column is which.
    """
    all_rows = Rows(is_csv=kind == "csv")
    own: list[set[int]] = []
    for file in files:
        header, records = _csv(file.path, how) if kind == "csv" else _parquet(file.path)
        hive = file.hive
        known = {name.strip().lower() for name in header}
        extra = [name for name in hive if name.lower() not in known]
        places = all_rows.columns.places([*header, *extra])
        own.append(set(places))
        for number, fields in enumerate(records, 1):
            cells = None
            if fields is not None:
                cells = dict(zip(places, [*fields, *(hive[name] for name in extra)], strict=True))
            all_rows.rows.append(Row(file.shown, number, file.day, cells))
    every = range(len(all_rows.columns.names))
    all_rows.lacking = {place for place in every if any(place not in one for one in own)}
    return all_rows


def _csv(path: Path, how: How) -> tuple[list[str], list[list[str] | None]]:
    found = csv_records(path, how)
    return found.header, found.records


def _parquet(path: Path) -> tuple[list[str], list[list[Any] | None]]:
    if not path.read_bytes():
        raise RefusedError("no Parquet file")
    table = pq.ParquetFile(path).read()
    columns = [_plain(column).to_pylist() for column in table.columns]
    return table.column_names, [list(row) for row in zip(*columns, strict=True)]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column with values of plain Python types: nanoseconds are cut to microseconds."""
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        return column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return column
