"""One SELECT from a relation to contract columns, a reason where a row breaks the contract,
and the row as JSON.

The loaders add further rules (unknown user, duplicate id).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conversion_platform.lake import quoted
from conversion_platform.marketplace import casting
from conversion_platform.marketplace.contract import Contract
from conversion_platform.marketplace.mapping import Matched
from conversion_platform.marketplace.masking import masked
from conversion_platform.marketplace.relation import (
    ORDINAL,
    ROW,
    SOURCE,
    Broken,
    Relation,
)

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake import Written
    from conversion_platform.settings import SourceSection

REASON, COLUMN, DETAIL, JSON = "_cp_reason", "_cp_column", "_cp_detail", "_cp_json"


@dataclass(frozen=True)
class Example:
    """One rejected row that may be shown: without phone numbers and locations of people."""

    source: str
    row_number: int | None
    column: str | None
    detail: str | None


@dataclass(frozen=True)
class Loaded:
    """The result of loading one source.

    Attributes:
        written: The partitions written: checked rows first, then rejected ones.
        read_rows: Rows of the source that belong to this load; accepted + rejected.
        accepted_rows: Rows in the checked table.
        rejects: Rejected rows by reason code.
        examples: One rejected row for each reason.
        notes: Messages for the user (such as a range without any event).
        undated_rows: Rejected rows among them without a day; no day's share counts them.
        source_rows: All rows that were read to find those of this load.
    """

    written: list[Written]
    read_rows: int
    accepted_rows: int
    rejects: dict[str, int]
    examples: dict[str, Example] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    undated_rows: int = 0
    source_rows: int = 0

    @property
    def rejected_rows(self) -> int:
        return sum(self.rejects.values())

    @property
    def dated_share(self) -> float:
        """Rejected rows of this load's days as a share of the rows of those days."""
        return _share(self.rejected_rows - self.undated_rows, self.read_rows - self.undated_rows)

    @property
    def undated_share(self) -> float:
        """Rejected rows without a day as a share of the whole source."""
        return _share(self.undated_rows, self.source_rows)

    @property
    def reject_share(self) -> float:
        """The larger of the two shares."""
        return max(self.dated_share, self.undated_share)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def values_query(
    contract: Contract, section: SourceSection, relation: Relation, matched: Matched
) -> str:
    """Return SQL: the source's columns and provenance, and a `v_NAME` for each contract column."""
    values = [
        f"{_value(contract, section, relation, matched, item.name)} AS v_{item.name}"
        for item in contract.fields
    ]
    return f"SELECT *, {', '.join(values)} FROM {relation.query}"


def _value(
    contract: Contract, section: SourceSection, relation: Relation, matched: Matched, name: str
) -> str:
    item = next(item for item in contract.fields if item.name == name)
    column = matched.contract.get(name)
    kind = relation.columns[column] if column else ""
    return casting.value_sql(item, column, kind, section.time_zone)


def problem(
    contract: Contract,
    relation: Relation,
    matched: Matched,
    allowed: Sequence[str] = (),
    further: Sequence[str] = (),
) -> str:
    """Return SQL for `reason|column` of the first rule that a row breaks, else NULL.

    Args:
        contract: The contract.
        relation: The source.
        matched: Which source column is mapped to which contract column.
        allowed: Values that may be bare numbers.
        further: SQL expressions of the same form, for rules beyond single values.
    """
    found = []
    for item in contract.fields:
        column = matched.contract.get(item.name)
        kind = relation.columns[column] if column else ""
        reason = casting.problem_sql(item, column, kind, f"v_{item.name}", allowed)
        if reason:
            found.append(f"{reason} || '|{item.name}'")
    if contract.start and contract.end:
        found.append(
            f"CASE WHEN v_{contract.end} < v_{contract.start} "
            f"THEN 'end_before_start|{contract.end}' END"
        )
    return f"coalesce({', '.join([*found, *further])})"


def detail(relation: Relation, matched: Matched) -> str:
    """Return SQL for the offending value as text, given the column `COLUMN`."""
    cases = [
        f"WHEN {quoted(name)} THEN {casting.clean_text(column, relation.columns[column])}"
        for name, column in matched.contract.items()
    ]
    return f"CASE {COLUMN} {' '.join(cases)} END" if cases else "NULL"


def contract_columns(contract: Contract) -> list[str]:
    """Return SQL for each contract column of the checked table, from `v_NAME`."""
    by_name = {item.name: item for item in contract.fields}
    return [
        f"CAST({_final(by_name[column.name].kind, column.name)} AS {column.type}) AS {column.name}"
        for column in contract.table.columns
    ]


def _final(kind: str, name: str) -> str:
    """Return SQL for the final value: an end in the far future becomes NULL."""
    if kind == "end":
        return f"CASE WHEN v_{name} < {casting.LAST_TIME} THEN v_{name} END"
    return f"v_{name}"


def rejected_select(relation: str) -> str:
    """Return SQL for the columns of a rejected_* table (and `dt` if present) from checked rows.

    Rows without a number are numbered in the order of their content: the same rows get the
    same numbers.
    """
    return (
        f"SELECT * EXCLUDE ({SOURCE}, {ROW}, {ORDINAL}, {REASON}, {COLUMN}, {DETAIL}, {JSON}), "
        f"{SOURCE} AS source, coalesce({ROW}, row_number() OVER (PARTITION BY {SOURCE}, "
        f"{ROW} IS NULL ORDER BY {JSON}, {REASON})) AS row_number, {REASON} AS reason, "
        f"{COLUMN} AS column_name, {DETAIL} AS detail, {JSON} AS row_json FROM {relation}"
    )


def numbered(rows: str, broken: Sequence[Broken]) -> str:
    """Return SQL of `rows` with a `ROW` that also counts the broken lines before each row.

    Args:
        rows: SQL with `SOURCE` and `ROW`, numbered without the broken lines.
        broken: Those lines.
    """
    if not broken:
        return rows
    listed = ", ".join(
        f"({quoted(source)}, {rows_before}, {lines})"
        for (source, rows_before), lines in _lines_by_rows_before(broken).items()
    )
    return (
        f"SELECT r.* REPLACE (r.{ROW} + coalesce(b.lines, 0) AS {ROW}) FROM ({rows}) AS r "
        f"ASOF LEFT JOIN (VALUES {listed}) AS b(source, rows_before, lines) "
        f"ON r.{SOURCE} = b.source AND r.{ROW} > b.rows_before"
    )


def _lines_by_rows_before(broken: Sequence[Broken]) -> dict[tuple[str, int], int]:
    """Return the number of broken lines for each file and number of rows before them."""
    found: dict[tuple[str, int], int] = {}
    count: dict[str, int] = {}
    for source, number in sorted({(line.source, line.number) for line in broken}):
        count[source] = count.get(source, 0) + 1
        found[source, number - count[source]] = count[source]
    return found


def broken_rows(broken: Sequence[Broken]) -> str | None:
    """Return SQL for broken lines as rejected rows; None if no line is broken."""
    if not broken:
        return None
    rows = ", ".join(
        f"({quoted(line.source)}, {line.number}, {-number}, 'broken_line', NULL, "
        f"{quoted(line.detail)}, CAST(to_json({{'line': {quoted(line.text)}}}) AS VARCHAR))"
        for number, line in enumerate(broken, start=1)
    )
    names = ", ".join((SOURCE, ROW, ORDINAL, REASON, COLUMN, DETAIL, JSON))
    return f"SELECT * FROM (VALUES {rows}) AS broken({names})"


def summary(
    con: duckdb.DuckDBPyConnection, rejected: str
) -> tuple[dict[str, int], dict[str, Example]]:
    """Return the rejected rows' number by reason, and one example of each reason."""
    one = "{'source': source, 'row': row_number, 'column': column_name, 'detail': detail}"
    rows = con.execute(
        f"SELECT reason, count(*), min({one}) "
        f"FROM {rejected} GROUP BY reason ORDER BY count(*) DESC, reason"
    ).fetchall()
    counts = {reason: int(count) for reason, count, _ in rows}
    examples = {
        reason: Example(
            found["source"],
            found["row"],
            found["column"],
            masked(found["column"], found["detail"]),
        )
        for reason, _, found in rows
    }
    return counts, examples
