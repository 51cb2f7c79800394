"""The cells of each row read by the contract, and the first rule that a row breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conversion_platform_tests.marketplace.reference.cells import MISSING, Reader, Said, text_of
from conversion_platform_tests.marketplace.reference.contract import (
    ANY,
    BOUNDS,
    ENDS,
    KINDS,
    REQUIRED,
)
from conversion_platform_tests.marketplace.reference.files import Found
from conversion_platform_tests.marketplace.reference.names import further, matched, snake
from conversion_platform_tests.marketplace.reference.numbers import Measures, measures_of
from conversion_platform_tests.marketplace.reference.rows import Row, Rows, rows_of
from conversion_platform_tests.marketplace.reference.settings import How
from conversion_platform_tests.marketplace.reference.verdict import RefusedError, Reject


@dataclass
class Checked:
    """A row whose cells were read.

    Attributes:
        row: Where it comes from.
        said: What each contract cell says.
        further: Texts of the columns that are none of the contract.
        problem: The first broken rule: reason, and column.
        unread: Optional columns whose cell cannot be read.
    """

    row: Row
    said: dict[str, Said]
    further: dict[str, str | None]
    problem: tuple[str, str] | None
    unread: tuple[str, ...]

    def kept(self, name: str) -> Any:
        """Return the value of a contract column that the checked table gets."""
        return self.said[name].kept

    def value(self, name: str) -> Any:
        """Return the value of a contract column, whether it is kept or not."""
        return self.said[name].value

    def reject(self, problem: tuple[str, str]) -> Reject:
        """Return this row as a reject."""
        return Reject(self.row.source, self.row.number, *problem)


@dataclass(frozen=True)
class CheckedRows:
    """All rows of a source.

    Attributes:
        rows: Those that have cells.
        broken: Lines that are no rows.
        has: Contract columns that the source has.
        further: Names of its further columns, each with that in the source.
    """

    rows: list[Checked]
    broken: list[Row]
    has: set[str]
    further: dict[str, str]

    def listed(self, attributes: tuple[str, ...]) -> set[str]:
        """Return the names of the further columns that a setting lists, if they are there."""
        by_given = {given: name for name, given in self.further.items()}
        return {by_given.get(one, snake(one)) for one in attributes}


def checked_rows(
    table: str, kind: str, files: list[Found], how: How, allowed: tuple[str, ...] = ()
) -> CheckedRows:
    """Return the rows of files, each checked by the rules that concern it alone.

    Raises:
        RefusedError: a required column is missing, in the source or in one of its files.
    """
    source = rows_of(kind, files, how)
    place = matched(source.columns, list(KINDS[table]), how)
    for name in REQUIRED[table]:
        if name not in place or place[name] in source.lacking:
            raise RefusedError(f"no {name}")
    extra = further(source.columns, set(place.values()), _reserved(table))
    reader = Reader(how, _measures(table, source, place, how), allowed)
    rows = [_checked(table, row, place, extra, reader) for row in source.rows if row.cells]
    broken = [row for row in source.rows if row.cells is None]
    if source.is_csv:
        for one in rows:
            if _repeats_header(table, one, source, place, how):
                one.problem = ("broken_line", "")
    given = {name: source.columns.names[column] for name, column in extra.items()}
    return CheckedRows(rows, broken, set(place), given)


def _reserved(table: str) -> set[str]:
    shown = set(KINDS[table]) - {"valid_from"}
    return shown | {"dt"} | (set() if table == "events" else {"unread_columns"})


def _measures(table: str, source: Rows, place: dict[str, int], how: How) -> dict[str, Measures]:
    if table == "events":
        return {}
    return {
        name: measures_of(
            text_of(cell, how)
            for row in source.rows
            if row.cells and isinstance(cell := row.cells.get(place[name]), str | bytes)
        )
        for name in place
        if KINDS[table][name] in ("number", "integer")
    }


def _checked(
    table: str, row: Row, place: dict[str, int], extra: dict[str, int], reader: Reader
) -> Checked:
    cells = row.cells or {}
    said = {
        name: reader.read(name, kind, cells.get(place[name]), BOUNDS.get(name, ANY))
        if name in place
        else MISSING
        for name, kind in KINDS[table].items()
    }
    if table in ENDS:
        _drop_late_start(said, *ENDS[table])
    required = REQUIRED[table]
    unread = [name for name in said if name not in required and said[name].reason]
    texts = {name: text_of(cells.get(column), reader.how) for name, column in extra.items()}
    return Checked(row, said, texts, _problem(said, required), tuple(unread))


def _drop_late_start(said: dict[str, Said], start: str, end: str) -> None:
    """Drop a start that lies behind the end: which of the two is wrong is not known."""
    if said[start].kept is None or said[end].value is None or said[end].reason:
        return
    if said[end].value < said[start].value:
        said[start] = Said(said[start].value, "end_before_start")


def _problem(said: dict[str, Said], required: dict[str, str]) -> tuple[str, str] | None:
    for name, missing in required.items():
        if said[name].reason:
            return said[name].reason or "", name
        if said[name].value is None:
            return missing, name
    return None


def _repeats_header(
    table: str, one: Checked, source: Rows, place: dict[str, int], how: How
) -> bool:
    """Return whether each required cell says the name of its column."""
    cells = one.row.cells or {}
    for name in REQUIRED[table]:
        text = text_of(cells[place[name]], how)
        if text is None or text.strip('"') not in source.columns.written[place[name]]:
            return False
    return True
