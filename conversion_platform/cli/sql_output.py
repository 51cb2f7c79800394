"""Answers of the SQL prompt as a table for people, or as CSV or JSON for programs."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TextIO

from conversion_platform.errors import QueryError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

BATCH = 1000
ONE_ANSWER = ("csv", "json")  # a program reads one table, or one array
TABLE_ROWS = 500
NARROWEST = 12  # characters a column needs to be read; with less, each row becomes a block
NUMBERS = ("INT", "FLOAT", "DOUBLE", "DECIMAL", "NUMBER")


@dataclass(frozen=True)
class Answer:
    """The columns (name, type) of an answer, and a function that takes the next rows."""

    columns: list[tuple[str, str]]
    take: Callable[[int], list[tuple[Any, ...]]]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        while batch := self.take(BATCH):
            yield from batch


def write_answer(answer: Answer, output_format: str, out: TextIO) -> None:
    """Writes an answer.

    Args:
        answer: CSV and JSON stream it; a table shows its first rows.
        output_format: `table`, `csv` or `json`.
        out: Where to.

    Raises:
        QueryError: the format is unknown.
    """
    if output_format not in FORMATS:
        known = ", ".join(FORMATS)
        raise QueryError(f"There is no format {output_format}.", f"Formats: {known}.")
    FORMATS[output_format](answer, out)


def _write_csv(answer: Answer, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([name for name, _ in answer.columns])
    writer.writerows([_csv_value(value) for value in row] for row in answer.rows())


def _csv_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict | tuple):
        return json.dumps(_json_value(value), ensure_ascii=False)
    return _plain(value)


def _write_json(answer: Answer, out: TextIO) -> None:
    """One array with an object for each row, a row on each line."""
    names = _unique([name for name, _ in answer.columns])
    separator = "[\n"
    for row in answer.rows():
        values = dict(zip(names, map(_json_value, row), strict=True))
        out.write(separator + json.dumps(values, ensure_ascii=False))
        separator = ",\n"
    out.write("[]\n" if separator == "[\n" else "\n]\n")


def _unique(names: list[str]) -> list[str]:
    """`a, a` becomes `a, a_1`: an object would lose the first."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        found.append(f"{name}_{count}" if count else name)
    return found


def _json_value(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _json_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(inner) for inner in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return float(value) if isinstance(value, Decimal) else _plain(value)


def _plain(value: Any) -> str:
    """A value as text, the same everywhere."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def _write_table(answer: Answer, out: TextIO) -> None:
    from rich.console import Console

    rows = answer.take(TABLE_ROWS + 1)
    # Into a file or a pipe lines are as long as they need to be.
    console = Console(file=out, width=None if out.isatty() else 100_000, highlight=False)
    shown = rows[:TABLE_ROWS]
    if console.width < NARROWEST * len(answer.columns) and len(shown) <= 50:
        _blocks(console, answer, shown)
    else:
        _grid(console, answer, shown)
    more = ", the first of more; --format csv prints all" if len(rows) > TABLE_ROWS else ""
    count = f"{len(shown)} row{'' if len(shown) == 1 else 's'}"
    console.print(f"({count}{more})", style="dim", markup=False)


def _grid(console: Console, answer: Answer, rows: list[tuple[Any, ...]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, kind in answer.columns:
        right = kind.startswith(NUMBERS) or "INT" in kind
        table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def _blocks(console: Console, answer: Answer, rows: list[tuple[Any, ...]]) -> None:
    """One line for each value, for answers wider than the screen."""
    from rich.text import Text

    width = max(len(name) for name, _ in answer.columns)
    for number, row in enumerate(rows, start=1):
        console.print(f"--- row {number} ---", style="dim", markup=False)
        for (name, _), value in zip(answer.columns, row, strict=True):
            console.print(Text(f"{name:>{width}}  ") + _cell(value))


def _cell(value: Any) -> Text:
    from rich.text import Text

    if value is None:
        return Text("NULL", style="dim")
    text = f"{value:.10g}" if isinstance(value, float) else _csv_value(value)
    # A value from a source must not be able to steer the reader's terminal.
    return Text("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))


FORMATS: dict[str, Callable[[Answer, TextIO], None]] = {
    "table": _write_table,
    "csv": _write_csv,
    "json": _write_json,
}
