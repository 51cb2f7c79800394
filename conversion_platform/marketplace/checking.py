"""What loading a source found: rows read, accepted and rejected, and cells that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conversion_platform.marketplace.contract import Contract
from conversion_platform.marketplace.masking import masked
from conversion_platform.marketplace.steps import Step

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake import Written


@dataclass(frozen=True)
class Example:
    """One rejected row that may be shown: without phone numbers and locations of people."""

    source: str
    row_number: int | None
    column: str | None
    detail: str | None

    def told(self) -> str:
        """Return where the row is, and what is wrong with it."""
        row = f" row {self.row_number}" if self.row_number is not None else ""
        return f"{self.source}{row}{self._value()}"

    def _value(self) -> str:
        if self.detail is None:
            return f": {self.column} is empty" if self.column else ""
        return f": {self.column} = {self.detail!r}" if self.column else f": {self.detail}"


@dataclass(frozen=True)
class Unread:
    """Cells of an optional column that cannot be read, for one reason: they are missing.

    Attributes:
        column: The contract column.
        reason: Reason code.
        rows: Accepted rows with such a cell.
        example: One of them.
    """

    column: str
    reason: str
    rows: int
    example: Example

    def told(self) -> str:
        """Return how many cells cannot be read, why, and one of them."""
        return f"{self.column}: {self.rows:,} {self.reason}, as in {self.example.told()}"


@dataclass(frozen=True)
class Loaded:
    """The result of loading one source.

    Attributes:
        written: The partitions written.
        read_rows: Rows of the source that belong to this load: accepted, earlier versions of
            those, held back, and rejected.
        accepted_rows: Rows in the checked table.
        past_rows: Rows that are earlier versions of a row in the checked table.
        held_rows: Rows that hold only from a later day, or are of ids that the newest `dt=` folder
            has no more.
        varying: Further columns in which rows of one id differ, for more than a fifth of the ids.
        rejects: Rejected rows by reason code.
        examples: One rejected row for each reason.
        notes: Messages for the user (such as a range without any event).
        undated_rows: Rejected rows among them without a day; no day's share counts them.
        source_rows: All rows that were read to find those of this load.
        unread: Optional cells that cannot be read, by column and reason.
        steps: The steps that the rows went through.
        proposals: Settings that would read what cannot be read.
    """

    written: list[Written]
    read_rows: int
    accepted_rows: int
    rejects: dict[str, int]
    examples: dict[str, Example] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    undated_rows: int = 0
    source_rows: int = 0
    unread: tuple[Unread, ...] = ()
    steps: tuple[Step, ...] = ()
    proposals: tuple[str, ...] = ()
    past_rows: int = 0
    held_rows: int = 0
    varying: tuple[str, ...] = ()

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

    @property
    def unread_share(self) -> float:
        """Accepted rows with a cell that cannot be read, for the worst column, as a share."""
        return _share(max((cell.rows for cell in self.unread), default=0), self.accepted_rows)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def summary(
    con: duckdb.DuckDBPyConnection, contract: Contract, rejected: str
) -> tuple[dict[str, int], dict[str, Example]]:
    """Return the rejected rows' number by reason, and one example of each reason.

    Args:
        con: The connection of the steps.
        contract: The contract of the source.
        rejected: The step `rejected`, or a part of it.
    """
    one = "{'source': source, 'row': row_number, 'column': column_name, 'detail': detail}"
    rows = con.execute(
        f"SELECT reason, count(*), min({one}) "
        f"FROM {rejected} GROUP BY reason ORDER BY count(*) DESC, reason"
    ).fetchall()
    counts = {reason: int(count) for reason, count, _ in rows}
    return counts, {reason: _example(contract, found) for reason, _, found in rows}


def unread_cells(
    con: duckdb.DuckDBPyConnection, contract: Contract, flagged: str
) -> tuple[Unread, ...]:
    """Return the cells of accepted rows that cannot be read, by column and reason.

    Args:
        con: The connection of the steps.
        contract: The contract of the source.
        flagged: The step `flagged`.
    """
    one = (
        "{'source': _cp_source, 'row': _cp_row, 'column': cell['column'], 'detail': cell['detail']}"
    )
    rows = con.execute(
        f"SELECT cell['column'], cell['reason'], count(*), min({one}) FROM "
        f"(SELECT _cp_source, _cp_row, unnest(_cp_cells) AS cell FROM {flagged} "
        "WHERE _cp_reason IS NULL AND NOT _cp_past) GROUP BY ALL ORDER BY 3 DESC, 1, 2"
    ).fetchall()
    return tuple(
        Unread(column, reason, int(count), _example(contract, found))
        for column, reason, count, found in rows
    )


def _example(contract: Contract, found: dict[str, Any]) -> Example:
    column = found["column"]
    return Example(found["source"], found["row"], column, masked(contract, column, found["detail"]))
