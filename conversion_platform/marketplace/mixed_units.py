"""Tells which units and currencies the cells of one number column name, where they name several.

Only the numbers of one of them are read: $900/week beside $16/hr is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from conversion_platform.marketplace.source_steps import Source
from conversion_platform.marketplace.values import NO_MEASURES, Cell

# What may be shown: another unit is a word of a cell, and may be a name.
_KNOWN = ("hour", "day", "week", "month", "year")
_OTHERS = "other words"


def mixed_units(source: Source, unread: Collection[str]) -> tuple[str, ...]:
    """Return a sentence for each column that names several units, and several currencies.

    Args:
        source: A source with all of its steps.
        unread: Columns with a cell that is not read as a number.
    """
    return tuple(
        sentence
        for cell in source.cells
        if cell.name in unread and cell.measures != NO_MEASURES
        for sentence in _of_column(source, cell)
    )


def _of_column(source: Source, cell: Cell) -> Iterator[str]:
    currency, unit = cell.measures
    currencies = _counted(source, f"steps.currency_in({cell.cell})")
    units: dict[str, int] = {}
    for name, cells in _counted(source, f"steps.unit_in({cell.cell})").items():
        shown = name if name in _KNOWN else _OTHERS
        units[shown] = units.get(shown, 0) + cells
    for kind, read, found in (("currencies", currency, currencies), ("units", unit, units)):
        kept = _value(source, read)
        if kept in found and len(found) > 1:
            yield _told(source, cell, kind, kept, found)


def _counted(source: Source, named: str) -> dict[str, int]:
    """Return how many cells name each of what SQL finds in them, the most frequent first."""
    rows = source.pipeline.con.execute(
        f"SELECT named, count(*) FROM (SELECT {named} AS named "
        f"FROM {source.pipeline.named('texts')}) WHERE named <> '' GROUP BY ALL ORDER BY 2 DESC, 1"
    ).fetchall()
    return {name: int(cells) for name, cells in rows}


def _value(source: Source, query: str) -> str:
    row = source.pipeline.con.execute(f"SELECT {query}").fetchone()
    return str(row[0]) if row and row[0] else ""


def _told(source: Source, cell: Cell, kind: str, kept: str, found: dict[str, int]) -> str:
    others = [f"{name} in {cells:,}" for name, cells in found.items() if name != kept]
    return (
        f"{source.contract.name}.{cell.name} names several {kind}: {kept} in {found[kept]:,} "
        f"cells, {', '.join(others)}. Only those of {kept} are read, the others are missing: "
        f"export all in one, or convert them with {source.contract.setting}.sql."
    )
