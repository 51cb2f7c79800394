"""Results of the SQL prompt: DuckDB's own table for people, CSV or JSON for programs."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, TextIO

from conversion_platform.errors import QueryError

if TYPE_CHECKING:
    import duckdb

BATCH = 1000
ONE_RESULT = ("csv", "json")  # a program reads one table, or one array
TABLE_ROWS = 500
NARROWEST = 12  # characters a column needs to be read; with less, each row becomes a block
BLOCKS = 50
AS_TEXT = "COLUMNS(*)::VARCHAR"
# JSON has no word for these; text that holds them is kept.
NOT_A_NUMBER = re.compile(r'("(?:\\.|[^"\\])*")|-?(?:NaN|Infinity)')


def write_result(result: duckdb.DuckDBPyRelation, output_format: str, out: TextIO) -> None:
    """Write a result.

    Args:
        result: CSV and JSON stream it; a table shows its first rows and the last of the first
            10,000.
        output_format: `table`, `csv` or `json`.
        out: Where to.

    Raises:
        QueryError: the format is unknown.
    """
    if output_format not in FORMATS:
        known = ", ".join(FORMATS)
        raise QueryError(f"There is no format {output_format}.", f"Formats: {known}.")
    FORMATS[output_format](result, out)


def _write_csv(result: duckdb.DuckDBPyRelation, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(result.columns)
    for batch in result.project(AS_TEXT).to_arrow_reader(BATCH):
        writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _write_json(result: duckdb.DuckDBPyRelation, out: TextIO) -> None:
    """Write one array with an object for each row, a row on each line."""
    separator = "[\n"
    rows = result.project("to_json(struct_pack(*COLUMNS(*)))::VARCHAR")
    for batch in rows.to_arrow_reader(BATCH):
        for row in batch.column(0).to_pylist():
            out.write(separator + NOT_A_NUMBER.sub(lambda found: found[1] or "null", row))
            separator = ",\n"
    out.write("[]\n" if separator == "[\n" else "\n]\n")


def _write_table(result: duckdb.DuckDBPyRelation, out: TextIO) -> None:
    # Into a file or a pipe lines are as long as they need to be.
    width = shutil.get_terminal_size().columns if out.isatty() else 100_000
    if width < NARROWEST * len(result.columns):
        rows = result.project(AS_TEXT).limit(BLOCKS + 1).fetchall()
        if len(rows) <= BLOCKS:
            out.writelines(_blocks(result.columns, rows))
            return
    with redirect_stdout(io.StringIO()) as shown:
        result.show(max_width=width, max_rows=TABLE_ROWS)
    out.write(_printable(shown.getvalue()))


def _blocks(names: list[str], rows: list[tuple[str | None, ...]]) -> Iterator[str]:
    """Yield one line for each value: DuckDB's table would leave out most columns."""
    shown_names = [_printable(name) for name in names]
    width = max(map(len, shown_names))
    for number, row in enumerate(rows, start=1):
        yield f"--- row {number} ---\n"
        for name, value in zip(shown_names, row, strict=True):
            shown = "NULL" if value is None else _printable(value.replace("\n", "\\n"))
            yield f"{name:>{width}}  {shown}\n"


def _printable(text: str) -> str:
    """Return `text` so that no value can steer the terminal; DuckDB escapes only some of it."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


FORMATS: dict[str, Callable[[duckdb.DuckDBPyRelation, TextIO], None]] = {
    "table": _write_table,
    "csv": _write_csv,
    "json": _write_json,
}
