"""SQL that reads one cell of a source as a contract value, and the reasons where that fails.

`_cp_t_NAME` is a cell's text, `_cp_v_NAME` its value, `_cp_r_NAME` the reason why it cannot be
read. How a text is read stands in sql/macros.sql; here stands what each kind of column asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from conversion_platform.lake import identifier, listed, quoted
from conversion_platform.marketplace.contract import SQL_TYPES, Field, Kind
from conversion_platform.marketplace.notation import Notation
from conversion_platform.marketplace.relation import EXACT, Relation, as_text

FIRST_TIME = "TIMESTAMPTZ '1900-01-01 00:00:00+00'"
LAST_TIME = "TIMESTAMPTZ '2200-01-01 00:00:00+00'"
LARGEST = "3.4e38"
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_AWARE = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS")

NO_MEASURES = ("''", "''")  # SQL of a currency and a unit that no cell names

Case = tuple[str, str]


@dataclass(frozen=True)
class Cell:
    """A contract column, and where its value comes from.

    Attributes:
        field: The contract column.
        column: The source column, by its name in SQL; None where the source has none.
        kind: The source column's DuckDB type.
        notation: How the source writes values.
        measures: SQL of the currency and the unit that numbers of the column may name.
        allowed: Values that may be bare numbers (event types that the settings name).
    """

    field: Field
    column: str | None
    kind: str
    notation: Notation
    measures: tuple[str, str] = NO_MEASURES
    allowed: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The contract column's name."""
        return self.field.name

    @property
    def is_text(self) -> bool:
        """Whether the source column has texts."""
        return self.kind == "VARCHAR"

    @property
    def cell(self) -> str:
        """SQL of the cell: its stripped text if it is one, else as it is."""
        return f"_cp_t_{self.name}" if self.is_text else identifier(self.column or "")

    @property
    def given(self) -> str:
        """SQL of the cell as text; NULL where it is missing."""
        return self.cell if self.is_text else as_text(self.cell, self.kind)

    @property
    def absent(self) -> str:
        """SQL of whether the cell is missing: NULL, and of some types other values too."""
        typed = not self.is_text and not self.kind.endswith("[]") and self.kind not in EXACT
        return f"{self.cell if typed else self.given} IS NULL"

    @property
    def value(self) -> str:
        """SQL of the column with the value."""
        return f"_cp_v_{self.name}"

    @property
    def reason(self) -> str:
        """SQL of the column with the reason why there is none."""
        return f"_cp_r_{self.name}"


def cleaned(relation: Relation, column: str, notation: Notation) -> str:
    """Return SQL of a cell as text without blanks around it; NULL where it is missing."""
    kind = relation.columns[column]
    if kind != "VARCHAR":
        return as_text(identifier(column), kind)
    macro = "known" if column in relation.trimmed else "cleaned"
    return f"steps.{macro}({identifier(column)}, {notation.missing})"


def value_sql(cell: Cell) -> str:
    """Return SQL for the value of a cell; NULL where it cannot be read."""
    if cell.column is None:
        return f"CAST(NULL AS {SQL_TYPES[cell.field.kind]})"
    return _VALUES.get(cell.field.kind, _text_value)(cell)


def reason_sql(cell: Cell) -> str:
    """Return SQL for the reason code of a cell that breaks its contract, else NULL."""
    cases = [] if cell.column is None else [*_required(cell), *_cases(cell)]
    if not cases:
        return "CAST(NULL AS VARCHAR)"
    return f"CASE {' '.join(f'WHEN {when} THEN {quoted(then)}' for when, then in cases)} END"


def _cases(cell: Cell) -> list[Case]:
    return _REASONS[cell.field.kind](cell) if cell.field.kind in _REASONS else []


def _required(cell: Cell) -> list[Case]:
    return [(cell.absent, cell.field.missing)] if cell.field.missing else []


def _text_value(cell: Cell) -> str:
    return cell.given


def _id_value(cell: Cell) -> str:
    return f"steps.whole({cell.cell})" if cell.is_text else cell.given


def _number_value(cell: Cell) -> str:
    if cell.kind == "BOOLEAN":
        return "CAST(NULL AS DOUBLE)"  # a cast would make 1 of true
    number = f"TRY_CAST({cell.cell} AS DOUBLE)"
    if cell.is_text:
        note = cell.notation
        measures = ", ".join(cell.measures)
        number = f"steps.number({cell.cell}, {note.decimal}, {note.grouping}, {measures})"
    return f"steps.finite({number})"


def _integer_value(cell: Cell) -> str:
    if cell.is_text:
        return f"steps.whole_number({cell.cell}, {_number_value(cell)})"
    if cell.kind in _INTEGERS:
        return f"TRY_CAST({cell.cell} AS BIGINT)"
    return f"steps.integer({_number_value(cell)})"


def _time_value(cell: Cell) -> str:
    note = cell.notation
    if cell.is_text:
        return f"steps.moment({cell.cell}, {note.zone}, {note.formats})"
    if cell.kind in _AWARE:
        return f"CAST({cell.cell} AS TIMESTAMPTZ)"
    if is_time(cell.kind):
        return f"timezone({note.zone}, CAST({cell.cell} AS TIMESTAMP))"
    return "CAST(NULL AS TIMESTAMPTZ)"


def is_time(kind: str) -> bool:
    """Return whether a DuckDB type is a date or a time of a date."""
    return kind == "DATE" or kind.startswith("TIMESTAMP")


def _id_cases(cell: Cell) -> list[Case]:
    if cell.is_text:
        return [(f"steps.is_shortened({cell.value})", "inexact_id")]
    if cell.kind in EXACT:
        return [(f"abs({cell.cell}) >= {EXACT[cell.kind]}", "inexact_id")]
    return []


def _words_cases(cell: Cell) -> list[Case]:
    unless = f" AND {cell.value} NOT IN ({listed(cell.allowed)})" if cell.allowed else ""
    return [(f"steps.is_bare_number({cell.value}){unless}", "number_where_text_belongs")]


def _zone_cases(cell: Cell) -> list[Case]:
    return [
        (f"steps.is_bare_number({cell.value})", "number_where_text_belongs"),
        (
            f"{cell.value} IS NOT NULL AND {cell.value} NOT IN (SELECT name FROM steps.zones)",
            "unknown_time_zone",
        ),
    ]


def _number_cases(cell: Cell) -> list[Case]:
    value = cell.value
    missing = f" AND lower({cell.given}) <> 'nan'"
    cases = [
        (f"{value} IS NULL AND {cell.given} IS NOT NULL{missing}", "not_a_number"),
        (f"abs({value}) > {LARGEST}", "out_of_range"),  # does not fit into a feature (float32)
    ]
    if cell.field.low is not None:
        cases.append((f"{value} < {cell.field.low}", "out_of_range"))
    if cell.field.high is not None:
        cases.append((f"{value} > {cell.field.high}", "out_of_range"))
    return cases


def _time_cases(cell: Cell) -> list[Case]:
    unread = f"{cell.value} IS NULL AND NOT ({cell.absent})"
    cases = [
        *((f"{unread} AND {when}", then) for when, then in _unread_times(cell)),
        (unread, "not_a_time"),
        (f"{cell.value} < {FIRST_TIME}", "not_a_time"),
    ]
    if cell.field.kind == "time":
        cases.append((f"{cell.value} >= {LAST_TIME}", "not_a_time"))
    if cell.field.since:
        cases.append(
            (f"{cell.value} < TIMESTAMPTZ '{cell.field.since} 00:00:00+00'", "out_of_range")
        )
    return cases


def _unread_times(cell: Cell) -> list[Case]:
    """Return what is wrong with a time that is one, but not an instant."""
    if cell.is_text:
        reading = f"steps.reading({cell.cell}, {cell.notation.formats}) IS NOT NULL"
        zone = f"steps.zone_of({cell.cell})"
        return [
            (f"{reading} AND {zone} IS NULL", "time_without_zone"),
            (f"{reading} AND regexp_matches({zone}, '^[A-Za-z]+$')", "ambiguous_time_zone"),
        ]
    if is_time(cell.kind) and cell.kind not in _AWARE:
        return [(f"isfinite(CAST({cell.cell} AS TIMESTAMP))", "time_without_zone")]
    return []


_VALUES: Mapping[Kind, Callable[[Cell], str]] = {
    "id": _id_value,
    "number": _number_value,
    "integer": _integer_value,
    "time": _time_value,
    "far_time": _time_value,
}
_REASONS: Mapping[Kind, Callable[[Cell], list[Case]]] = {
    "id": _id_cases,
    "words": _words_cases,
    "zone": _zone_cases,
    "number": _number_cases,
    "integer": _number_cases,
    "time": _time_cases,
    "far_time": _time_cases,
}


def final_sql(cell: Cell) -> str:
    """Return SQL for the value that the checked table gets: none of a cell that cannot be read.

    An end in the far future (9999-12-31) is none either.
    """
    if cell.column is None or not _cases(cell):
        return cell.value
    unless = f"{cell.reason} IS NULL"
    if cell.field.kind == "far_time":
        unless += f" AND {cell.value} < {LAST_TIME}"
    return f"CASE WHEN {unless} THEN {cell.value} END"


def row_json(columns: Mapping[str, str]) -> str:
    """Return SQL for a whole source row as JSON, under the columns' names in SQL.

    Doubles are written as text: JSON has no NaN.
    """
    values = {
        name: as_text(identifier(name), kind)
        if kind in ("DOUBLE", "FLOAT", "BLOB")
        else identifier(name)
        for name, kind in columns.items()
    }
    parts = [f"{quoted(name)}: {value}" for name, value in values.items()]
    return f"CAST(to_json({{{', '.join(parts)}}}) AS VARCHAR)"


def content_hash(texts: Sequence[str]) -> str:
    """Return SQL for an id that is a hash of a row's content: equal rows have equal ids."""
    parts = ", ".join(f"coalesce({text}, chr(30))" for text in texts)
    return f"md5(concat_ws(chr(31), {parts}))"


def measure_names(name: str) -> tuple[str, str]:
    """Return SQL of the columns of `measures_query` for a column of numbers."""
    return identifier(f"{name}_currency"), identifier(f"{name}_unit")


def measures_query(texts: Mapping[str, str], rows: str) -> str:
    """Return SQL of the currency and of the unit that most numbers of text columns name.

    Args:
        texts: Name -> SQL of a text. The query's columns are NAME_currency and NAME_unit.
        rows: A relation with the texts.
    """
    counts, found = [], []
    for name, text in texts.items():
        currency, unit = measure_names(name)
        counts += [
            f"histogram(steps.currency_in({text})) AS {currency}",
            f"histogram(steps.unit_in({text})) AS {unit}",
        ]
        found += [
            f"steps.most_named({currency}) AS {currency}",
            f"steps.unit_of_most({unit}) AS {unit}",
        ]
    return f"SELECT {', '.join(found)}\nFROM (SELECT {', '.join(counts)} FROM {rows})"
