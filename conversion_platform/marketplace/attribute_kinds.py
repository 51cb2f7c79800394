"""What the further columns of the checked tables are, and which become features.

The decisions use the accepted rows only and do not depend on their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from conversion_platform.lake import Session, Table, identifier, quoted
from conversion_platform.marketplace import columns
from conversion_platform.marketplace import contract as contracts
from conversion_platform.marketplace.attribute_casts import AttributeKind
from conversion_platform.marketplace.attributes import batches, known_kinds
from conversion_platform.marketplace.cell_patterns import are_nested
from conversion_platform.marketplace.contract import Contract, section_of
from conversion_platform.marketplace.headers import spellings
from conversion_platform.marketplace.relation import as_text
from conversion_platform.marketplace.tables import ATTRIBUTES

if TYPE_CHECKING:
    from conversion_platform.marketplace.columns import Privacy

_MOST_VALUES = 1000
_MOST_LENGTH = 40
_FEW_VALUES = 50
_LARGE = re.compile(r"-?[0-9]{6,}")
_NEARLY_ALL, _LEAST_IDS, _MOST_ROUND = 0.9, 10, 0.3  # a tenth of ids end in 0
_GONE = "the source has it no more"
_AT_ONCE = 40  # columns of one query: different values are counted in a table for each
_SAMPLED = 1000  # rows whose values are looked at to classify a column


@dataclass(frozen=True)
class Attribute:
    """One attribute.

    Attributes:
        table_name: The table that it is of.
        column_name: Its name there.
        kind: What its values are.
        listed: Whether the settings list it.
        used: Whether it becomes a feature.
        reason: Why it does not.
        privacy: What its name and values look like.
        unsuitable: Why it would make no feature if it were listed.
    """

    table_name: Literal["users", "jobs"]
    column_name: str
    kind: AttributeKind
    listed: bool
    used: bool
    reason: str | None
    privacy: Privacy
    unsuitable: str | None = None

    @property
    def proposed(self) -> bool:
        """Whether it could be listed without harm."""
        return self.privacy.kind == "usable" and self.unsuitable is None


@dataclass(frozen=True)
class _Stored:
    """A further column as it is stored: its table, type and figures, and some of its values."""

    table: Table
    name: str
    type: str
    rows: int
    filled: int
    distinct: int
    length: float
    values: Sequence[str]


def infer_attributes(session: Session) -> list[Attribute]:
    """Read the kinds of the further columns of users and jobs, and replace `attributes`.

    Raises:
        NotReadyError: users or jobs have not been loaded.
    """
    tables = (contracts.USERS, contracts.JOBS)
    for contract in tables:
        session.lake.require(contract.table)
    found = [
        _attribute(session, contract, stored)
        for contract in tables
        for stored in _stored_columns(session, contract)
    ]
    found += [one for contract in tables for one in _gone(session, contract, found)]
    session.lake.write(session.con, ATTRIBUTES, _rows(found))
    return found


def _gone(session: Session, contract: Contract, found: Sequence[Attribute]) -> list[Attribute]:
    """Return the listed attributes that were known and that the source has no more.

    They keep their kind, for the day on which they come back.
    """
    of = contract.of_entities
    present = {one.column_name for one in found if one.table_name == of}
    listed = spellings(section_of(session.settings, contract.of_entities).attributes)
    return [
        Attribute(of, name, kind, True, False, _GONE, columns.by_name(of, name), _GONE)
        for name, kind in known_kinds(session, contract.name).items()
        if name in listed and name not in present
    ]


def _stored_columns(session: Session, contract: Contract) -> Iterator[_Stored]:
    """Yield the further columns; one that lies in two tables as the open one has it."""
    known = {column.name for column in contract.columns}
    for table in reversed(contract.parts):
        further = [one for one in _of_table(session, table, known) if one.name not in known]
        known |= {one.name for one in further}
        yield from further


def _of_table(session: Session, table: Table, known: set[str]) -> list[_Stored]:
    select = session.lake.select(table)
    described = session.con.execute(f"DESCRIBE SELECT * FROM {select}").fetchall()
    types = {name: kind for name, kind, *_ in described if name not in known}
    if not types:
        return []
    figures = _figures(session, select, list(types))
    texts = ", ".join(as_text(identifier(name), kind) for name, kind in types.items())
    sample = session.con.execute(
        f"SELECT {texts} FROM {select} ORDER BY hash({table.key[0]}) LIMIT {_SAMPLED}"
    ).fetchall()
    return [
        _stored(table, (name, kind), *figures[name], sample, place)
        for place, (name, kind) in enumerate(types.items())
    ]


def _figures(
    session: Session, select: str, names: Sequence[str]
) -> dict[str, tuple[int, tuple[int, int, float]]]:
    """Return of each column the number of rows, and of values, of different ones, their length."""
    found = {}
    for some in batches(names, _AT_ONCE):
        items = ", ".join(
            f"count({c}), count(DISTINCT {c}), coalesce(avg(length(CAST({c} AS VARCHAR))), 0)"
            for c in map(identifier, some)
        )
        rows, *row = session.con.execute(f"SELECT count(*), {items} FROM {select}").fetchall()[0]
        for place, name in enumerate(some):
            filled, distinct, length = row[3 * place : 3 * place + 3]
            found[name] = (rows, (filled, distinct, length))
    return found


def _stored(
    table: Table,
    column: tuple[str, str],
    rows: int,
    figures: tuple[int, int, float],
    sample: Sequence[tuple[str | None, ...]],
    place: int,
) -> _Stored:
    filled, distinct, length = figures
    values = [value for row in sample if (value := row[place])]
    return _Stored(table, *column, rows, filled, distinct, length, values)


def _attribute(session: Session, contract: Contract, stored: _Stored) -> Attribute:
    listed = stored.table == contract.table
    kind, unsuitable = _kind(stored, listed)
    if stored.filled == 0:
        unsuitable = "it is empty"
    elif stored.distinct == 1 and stored.filled == stored.rows:
        unsuitable = "it is the same in every row"
    reason = unsuitable if listed else f"{contract.setting}.attributes does not name it"
    of = contract.of_entities
    settings = session.settings
    privacy = columns.classified(
        of,
        stored.name,
        stored.values,
        settings.platform.start_date,
        settings.messaging.country,
    )
    used = reason is None
    return Attribute(of, stored.name, kind, listed, used, reason, privacy, unsuitable)


def _kind(stored: _Stored, listed: bool) -> tuple[AttributeKind, str | None]:
    """Return the kind of a stored column, and why it makes no feature.

    A text column that the settings list can always be one.
    """
    if stored.type == "BOOLEAN":
        return "boolean", None
    if stored.type.startswith("TIMESTAMP"):
        return "timestamp", None
    if stored.type == "DOUBLE":
        return "numeric", None if listed or not _are_ids(stored) else "its numbers look like ids"
    if listed:
        return "categorical", None
    if are_nested(stored.values):
        return "text", "its cells are JSON or structs, which may hold anything"
    if stored.length > _MOST_LENGTH:
        return "text", f"free text (longer than {_MOST_LENGTH} characters on average)"
    if stored.distinct > _MOST_VALUES:
        return "text", f"more than {_MOST_VALUES} different values"
    if stored.distinct > _FEW_VALUES and stored.distinct > stored.filled / 2:
        return "text", "nearly every value is different"
    return "categorical", None


def _are_ids(stored: _Stored) -> bool:
    """Return whether nearly every number is another one, and nearly all are whole and large.

    Pay repeats, or has a fraction, or is round.
    """
    whole = [text for text in stored.values if _LARGE.fullmatch(text)]
    round_ones = sum(text.endswith("0") for text in whole)
    return (
        stored.distinct >= max(_LEAST_IDS, _NEARLY_ALL * stored.filled)
        and len(whole) >= _NEARLY_ALL * len(stored.values)
        and round_ones < _MOST_ROUND * len(whole)
    )


def _rows(found: list[Attribute]) -> str:
    if not found:
        return ATTRIBUTES.empty_select()
    rows = ", ".join(
        f"({quoted(a.table_name)}, {quoted(a.column_name)}, {quoted(a.kind)}, {a.used}, "
        f"{quoted(a.reason) if a.reason else 'NULL'}, {quoted(a.privacy.kind)})"
        for a in found
    )
    names = ", ".join(column.name for column in ATTRIBUTES.columns)
    return f"SELECT * FROM (VALUES {rows}) AS found({names})"
