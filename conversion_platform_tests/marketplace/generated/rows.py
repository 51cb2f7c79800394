"""Rows of a source as texts or typed values, before they are written to files."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from conversion_platform_tests.marketplace.generated import values
from conversion_platform_tests.marketplace.reference import How
from conversion_platform_tests.marketplace.reference.contract import KINDS, REQUIRED

FURTHER = (
    *("Notes", "401k plan", "tag-1", "naïve", "favourite Colour", "Select", "first.trade"),
    *("notes", "Notes ", "", "shift_type"),
)
KNOWN_USERS = ("1", "2", "10000", "ann", "Zoë")
KNOWN_JOBS = ("10", "20", "cook-1")
TYPES: dict[str, tuple[str, ...]] = {
    "id": ("string", "int64", "int64", "double", "dictionary", "binary", "int32"),
    "text": ("string", "string", "dictionary", "binary", "int64"),
    "words": ("string", "string", "dictionary", "large_string"),
    "zone": ("string", "dictionary"),
    "number": ("double", "float", "int32", "decimal", "string"),
    "integer": ("int64", "double", "int32", "string"),
    "time": (
        "timestamp[us]",
        "timestamp[us, UTC]",
        "timestamp[ms]",
        "timestamp[ns, UTC]",
        "string",
    ),
}


@dataclass
class Shape:
    """What all files of a source have in common.

    Attributes:
        table: `users`, `jobs` or `events`.
        how: The settings of the source.
        columns: Its columns: contract columns, and further ones.
        types: The type of each column in Parquet.
        number: Number of the newest id.
        in_days: Whether its files lie in `dt=` folders.
        rows: Rows of its files so far.
    """

    table: str
    how: How
    columns: list[str]
    types: dict[str, str] = field(default_factory=dict)
    number: int = 0
    in_days: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def dated(self) -> list[str]:
        """The columns that say when a row was written."""
        return [name for name in ("updated_at", "valid_from") if name in self.columns]

    @property
    def may_differ(self) -> bool:
        """Whether rows of one id may differ without the source being refused."""
        told = self.how.duplicates == "first" or bool(self.dated) or self.in_days
        return told or self.table == "events"

    def kind(self, column: str) -> str:
        """Return the kind of a column."""
        return KINDS[self.table].get(column, "text")


def shape_of(rng: random.Random, table: str, how: How) -> Shape:
    """Return a choice of columns: the required ones, some others, and some further ones."""
    optional = [name for name in KINDS[table] if name not in REQUIRED[table]]
    chosen = rng.sample(optional, rng.randint(0, min(8, len(optional))))
    if rng.random() < 0.6 and table != "events":
        chosen = [name for name in chosen if name != "valid_from"]
    columns = [*REQUIRED[table], *chosen, *rng.sample(FURTHER, rng.choice((0, 0, 1, 2)))]
    if rng.random() < 0.5:
        rng.shuffle(columns)
    shape = Shape(table, how, columns)
    shape.types = {column: arrow_type(rng, shape, column) for column in columns}
    return shape


def arrow_type(rng: random.Random, shape: Shape, column: str) -> str:
    """Return a Parquet type for a column."""
    kind = shape.kind(column)
    if column == "skills" and rng.random() < 0.5:
        return "list"
    if column == "user_id" and shape.table == "events":
        return rng.choice(("string", "string", "dictionary", "binary", "large_string"))
    if column in KINDS[shape.table] and rng.random() < 0.02:
        return rng.choice(("bool", "date", "int64"))
    if kind in ("time", "end"):
        return rng.choice((*TYPES["time"], "date"))
    return rng.choice(TYPES[kind])


def rows_of(
    rng: random.Random, shape: Shape, count: int, typed: dict[str, str]
) -> list[dict[str, Any]]:
    """Return rows; some repeat an earlier one, or change one of its cells.

    Args:
        rng: The source of chance.
        shape: What the files have in common.
        count: Number of rows.
        typed: Parquet types by column; empty for CSV.
    """
    earlier = shape.rows if not typed or typed == shape.types else []
    rows: list[dict[str, Any]] = []
    for _ in range(count):
        known = [*earlier, *rows]
        if known and rng.random() < 0.12:
            row = dict(rng.choice(known))
            if rng.random() < (0.6 if shape.may_differ else 0.03):
                _change(rng, shape, row, typed)
        else:
            shape.number += 1
            row = {column: _cell(rng, shape, column, typed) for column in shape.columns}
        rows.append(row)
    earlier += rows
    return rows


def _change(rng: random.Random, shape: Shape, row: dict[str, Any], typed: dict[str, str]) -> None:
    """Change a cell of a row that has the id of another, and mostly say when it was written."""
    changed = rng.choice(shape.columns)
    if shape.kind(changed) != "id":
        row[changed] = _cell(rng, shape, changed, typed)
    for time in shape.dated:
        row[time] = _cell(rng, shape, time, typed)


def _cell(rng: random.Random, shape: Shape, column: str, typed: dict[str, str]) -> Any:
    arrow = typed.get(column, "string")
    if arrow == "bool":
        return rng.choice((True, False, None))
    if arrow == "list":
        choice = rng.choice((None, [], ["cook"], ["cook", "a|b", "Zoë"], [None, "cook"]))
        return list(choice) if choice is not None else None
    if arrow not in ("string", "large_string", "dictionary", "binary"):
        return values.typed(rng, shape.kind(column), arrow, shape.table, shape.number)
    return _text(rng, shape, column)


def _text(rng: random.Random, shape: Shape, column: str) -> str:
    kind = shape.kind(column)
    known = {"user_id": KNOWN_USERS, "job_id": KNOWN_JOBS} if shape.table == "events" else {}
    if column in known:
        strange = ("nobody", "", "NA", "10000.0", " 1 ")
        pool = known[column] if rng.random() < 0.94 else strange
        return rng.choice(pool)
    if kind == "id":
        return values.id_text(rng, shape.number)
    if column == "event_type":
        pool = ("impression", "click", "application")
        return values.padded(rng, rng.choice(pool if rng.random() < 0.95 else ("3", "hire")))
    if kind in ("time", "end"):
        text = values.time_text(rng, shape.how, values.moments(rng, shape.table))
    elif kind in ("number", "integer"):
        text = values.number_text(rng, shape.how, kind == "integer")
    elif kind == "zone":
        text = values.zone_text(rng)
    else:
        text = values.word_text(rng) if kind == "words" else rng.choice(values.WORDS)
    return values.padded(rng, text) if column not in REQUIRED[shape.table] else text
