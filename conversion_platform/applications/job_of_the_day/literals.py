"""Checks the texts and numbers that a predicate compares columns with.

`shift = 1` fails on the first shift that is no number, `state = 'NY'` is never true where states
are written "New York", and `state = "NY"` compares two columns.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conversion_platform.applications.job_of_the_day.cohorts import refused
from conversion_platform.errors import Finding
from conversion_platform.lake import identifier, quoted
from conversion_platform.marketplace import USERS, masked_user_cell

if TYPE_CHECKING:
    import duckdb

_MOST_SHOWN = 5
_NUMBERS = ("INTEGER", "NUMERIC")  # kinds of literals, as DuckDB calls them
# Values of these columns say nothing of a person, so a message may list them, as masking lets it.
_SHOWN = {"state", "region", "shift", "time_zone", "consent_source", "user_region", "user_shift"}
_SHOWN -= {column.name for column in USERS.columns if column.personal}


@dataclass(frozen=True)
class Comparison:
    """A column that a predicate compares with a literal.

    Attributes:
        column: The column's name, as the relation writes it.
        literal: The literal's text.
        number: Whether the literal is a number.
    """

    column: str
    literal: str
    number: bool


def check_literals(
    con: duckdb.DuckDBPyConnection,
    cohort: str,
    where: str,
    nodes: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    people: str,
) -> Iterator[Finding]:
    """Find text compared with a number, and texts that a column never has.

    Args:
        con: The connection.
        cohort: Name of the cohort.
        where: Its predicate.
        nodes: The nodes of the predicate.
        columns: DuckDB type of each column.
        people: The relation of the users.
    """
    setting = f"cohorts.{cohort}.where"
    for found in dict.fromkeys(_comparisons(nodes, columns)):
        if columns[found.column] != "VARCHAR":
            continue
        if found.number:
            why = f"`{found.column}` is text, and is compared with the number {found.literal}"
            told = refused(cohort, where, why)
            told.remedy = f"Write '{found.literal}' in single quotes. {told.remedy}"
            yield Finding(setting, told)
        elif not _occurs(con, people, found):
            yield Finding.warn(
                setting,
                f"The cohort `{cohort}` compares `{found.column}` with {quoted(found.literal)}, "
                "which no user has.",
                _existing_values(con, people, found),
            )


def quoting_hint(where: str, nodes: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Return a hint where a text stands in double quotes, which makes it a column; else ''."""
    known = {name.lower() for name in columns}
    for name in (node["column_names"][-1] for node in nodes if node.get("class") == "COLUMN_REF"):
        if name.lower() not in known and identifier(name) in where:
            return (
                f"{identifier(name)} in double quotes is the name of a column; a text stands in "
                f"single quotes: {quoted(name)}. "
            )
    return ""


def _comparisons(
    nodes: Sequence[Mapping[str, Any]], columns: Mapping[str, str]
) -> Iterator[Comparison]:
    by_lower = {name.lower(): name for name in columns}
    for node in nodes:
        for column, constant in _pairs(node):
            name = by_lower.get(column["column_names"][-1].lower())
            kind = constant["literal"]["kind"]
            if name is not None and kind in ("STRING", *_NUMBERS):
                yield Comparison(name, constant["literal"]["text"], kind in _NUMBERS)


def _pairs(node: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield the column and the constant of each comparison that a node makes."""
    if node.get("class") == "COMPARISON":
        sides = [node["left"], node["right"]]
        equality = node["type"] in ("COMPARE_EQUAL", "COMPARE_NOTEQUAL")
    elif node.get("type") in ("COMPARE_IN", "COMPARE_NOT_IN"):
        sides, equality = node["children"], True
    else:
        return
    references = [side for side in sides if side.get("class") == "COLUMN_REF"]
    constants = [side for side in sides if side.get("class") == "CONSTANT" and "literal" in side]
    for reference in references[:1]:
        for constant in constants:
            # Whether a text is before another one does not depend on its being among them.
            if equality or constant["literal"]["kind"] in _NUMBERS:
                yield reference, constant


def _occurs(con: duckdb.DuckDBPyConnection, people: str, found: Comparison) -> bool:
    query = f"SELECT 1 FROM {people} WHERE {identifier(found.column)} = ? LIMIT 1"
    return con.execute(query, [found.literal]).fetchone() is not None


def _existing_values(con: duckdb.DuckDBPyConnection, people: str, found: Comparison) -> str:
    if found.column not in _SHOWN:
        return "Correct it, unless such users are to come."
    name = identifier(found.column)
    counts = con.execute(
        f"SELECT {name}, count(*) FROM {people} WHERE {name} IS NOT NULL "
        f"GROUP BY {name} ORDER BY count(*) DESC, {name}"
    ).fetchall()
    values = _shown_values(found.column, counts)
    hidden = " Others are not shown: they may be personal." if len(values) < len(counts) else ""
    near = difflib.get_close_matches(found.literal, values, n=1)
    most = ", ".join(map(quoted, values[:_MOST_SHOWN])) or "none"
    hint = f"Did you mean {quoted(near[0])}? " if near else ""
    return f"{hint}Values of `{found.column}`, the most frequent first: {most}.{hidden}"


def _shown_values(column: str, counts: Sequence[tuple[str, int]]) -> list[str]:
    """Return the values that may be shown: cells may have moved into the column from another one.

    A column most of whose values occur once tells users apart, and none is shown.
    """
    once = sum(count == 1 for _, count in counts)
    if 2 * once > len(counts):
        return []
    contract_column = column.removeprefix("user_")
    return [value for value, _ in counts if masked_user_cell(contract_column, value) == value]
