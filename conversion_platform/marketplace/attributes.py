"""Attributes (further columns) of users and jobs: their storage types, and which become features.

Both decisions use the accepted rows only and do not depend on their order. There are two steps:
storage types are chosen while a table is loaded; kinds are inferred from the checked table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from conversion_platform.errors import SourceError
from conversion_platform.lake import Session, quoted
from conversion_platform.marketplace import contract as contracts
from conversion_platform.marketplace.casting import clean_text, value_sql
from conversion_platform.marketplace.checking import REASON
from conversion_platform.marketplace.contract import Contract, Field
from conversion_platform.marketplace.errors import nearest
from conversion_platform.marketplace.mapping import Matched, snake
from conversion_platform.marketplace.relation import Relation, identifier
from conversion_platform.marketplace.tables import ATTRIBUTES

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import SourceSection

AttributeKind = Literal["numeric", "categorical", "boolean", "timestamp", "text"]

_NUMBERS = re.compile(r"^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$")
# Codes that look like numbers but are not quantities.
_CODES = re.compile(
    r"(^|_)(id|ids|uuid|code|zip|zipcode|postcode|postal_code|fips|ssn"
    r"|phone|cellphone|telephone|mobile|cell|tel|msisdn|whatsapp)(_[0-9]+)?$"
)
_TRUE, _FALSE = "('true', 't', 'yes', 'y')", "('false', 'f', 'no', 'n')"
_MOST_VALUES = 1000
_MOST_LENGTH = 40
_FEW_VALUES = 50


@dataclass(frozen=True)
class Attribute:
    """One attribute and whether it becomes a feature; `reason` says why it does not."""

    table_name: Literal["users", "jobs"]
    column_name: str
    kind: AttributeKind
    used: bool
    reason: str | None


def storage_columns(
    session: Session, contract: Contract, relation: Relation, matched: Matched, staged: str
) -> list[str]:
    """Return SQL select items for the attributes in the checked table, each with its storage type.

    Raises:
        SourceError: `attributes` or `ignore` names a column that does not exist.
    """
    section: SourceSection = getattr(session.settings.sources, contract.name)
    _check_names(contract, section, matched)
    texts = [
        name
        for name, column in matched.attributes.items()
        if relation.columns[column] == "VARCHAR" and not _CODES.search(name)
    ]
    profiles = _profiles(session.con, {name: matched.attributes[name] for name in texts}, staged)
    zone = section.time_zone or session.settings.platform.time_zone
    return [
        f"{_stored(name, column, relation.columns[column], profiles.get(name), zone)} AS {name}"
        for name, column in matched.attributes.items()
    ]


def _check_names(contract: Contract, section: SourceSection, matched: Matched) -> None:
    known = [*matched.attributes, *matched.attributes.values()]
    for key, names in (("attributes", section.attributes or ()), ("ignore", section.ignore)):
        for name in names:
            if name not in known:
                raise SourceError(
                    f"{contract.setting}.{key}: no further column is named `{name}`."
                    f"{nearest(name, known)}",
                    f"Further columns of the source: {', '.join(matched.attributes) or 'none'}.",
                )


def _profiles(
    con: duckdb.DuckDBPyConnection, columns: Mapping[str, str], staged: str
) -> dict[str, AttributeKind]:
    """Return the kind of each text column whose values can all be read as that kind."""
    if not columns:
        return {}
    counts = ", ".join(
        item for column in columns.values() for item in _counts(clean_text(column, "VARCHAR"))
    )
    row = con.execute(f"SELECT {counts} FROM {staged} WHERE {REASON} IS NULL").fetchone()
    assert row is not None
    found: dict[str, AttributeKind] = {}
    for place, name in enumerate(columns):
        values, booleans, numbers, times = row[4 * place : 4 * place + 4]
        if values == 0:
            continue
        if booleans == values:
            found[name] = "boolean"
        elif numbers == values:
            found[name] = "numeric"
        elif times == values:
            found[name] = "timestamp"
    return found


def _counts(text: str) -> list[str]:
    """Return SQL counts of the values, and of those readable as a boolean, a number, a time.

    A value with a leading zero (02134) or plus (+12135550100) is a code, not a number.
    """
    return [
        f"count({text})",
        f"count(*) FILTER (lower({text}) IN {_TRUE} OR lower({text}) IN {_FALSE})",
        f"count(*) FILTER (TRY_CAST({text} AS DOUBLE) IS NOT NULL "
        f"AND NOT regexp_matches({text}, '^([+]|-?0[0-9])'))",
        f"count(*) FILTER (TRY_CAST({text} AS TIMESTAMPTZ) IS NOT NULL)",
    ]


def _stored(name: str, column: str, kind: str, profile: AttributeKind | None, zone: str) -> str:
    if kind == "BOOLEAN":
        return identifier(column)
    if profile == "boolean":
        return f"lower({clean_text(column, kind)}) IN {_TRUE}"
    if profile == "timestamp" or kind.startswith(("TIMESTAMP", "DATE")):
        return value_sql(Field(name, "time"), column, kind, zone)
    if profile == "numeric" or (_NUMBERS.match(kind) and not _CODES.search(name)):
        return value_sql(Field(name, "number"), column, kind, zone)
    return clean_text(column, kind)


def infer_attributes(session: Session) -> list[Attribute]:
    """Read the kinds of the further columns of users and jobs, and replace `attributes`.

    Raises:
        NotReadyError: users or jobs have not been loaded.
    """
    tables = (contracts.USERS, contracts.JOBS)
    for contract in tables:
        session.lake.require(contract.table)
    found = [one for contract in tables for one in _of_table(session, contract)]
    session.lake.write(session.con, ATTRIBUTES, _rows(found))
    return found


def _of_table(session: Session, contract: Contract) -> list[Attribute]:
    select = session.lake.select(contract.table)
    own = {column.name for column in contract.table.columns}
    types = {
        name: kind
        for name, kind, *_ in session.con.execute(f"DESCRIBE SELECT * FROM {select}").fetchall()
        if name not in own
    }
    if not types:
        return []
    items = ", ".join(
        f"count({c}), count(DISTINCT {c}), coalesce(avg(length(CAST({c} AS VARCHAR))), 0)"
        for c in map(identifier, types)
    )
    row = session.con.execute(f"SELECT count(*), {items} FROM {select}").fetchone()
    assert row is not None
    section: SourceSection = getattr(session.settings.sources, contract.name)
    return [
        _attribute(contract, section, name, kind, row[0], row[1 + 3 * place : 4 + 3 * place])
        for place, (name, kind) in enumerate(types.items())
    ]


def _attribute(
    contract: Contract, section: SourceSection, name: str, kind: str, rows: int, stats: Any
) -> Attribute:
    values, distinct, length = stats
    asked = section.attributes is not None and name in map(snake, section.attributes)
    of_kind, reason = _kind(kind, int(values), int(distinct), float(length), asked)
    if name in map(snake, section.ignore):
        reason = f"{contract.setting}.ignore names it"
    elif section.attributes is not None and not asked:
        reason = f"{contract.setting}.attributes does not name it"
    elif values == 0:
        reason = "it is empty"
    elif distinct == 1 and values == rows:
        reason = "it is the same in every row"
    table: Literal["users", "jobs"] = "users" if contract.name == "users" else "jobs"
    return Attribute(table, name, of_kind, reason is None, reason)


def _kind(
    kind: str, values: int, distinct: int, length: float, asked: bool
) -> tuple[AttributeKind, str | None]:
    """Return the kind of a stored column, and why it cannot be a feature.

    A text column that the settings ask for (`asked`) can always be one.
    """
    if kind == "BOOLEAN":
        return "boolean", None
    if kind.startswith("TIMESTAMP"):
        return "timestamp", None
    if kind == "DOUBLE":
        return "numeric", None
    if asked:
        return "categorical", None
    if length > _MOST_LENGTH:
        return "text", f"free text (longer than {_MOST_LENGTH} characters on average)"
    if distinct > _MOST_VALUES:
        return "text", f"more than {_MOST_VALUES} different values"
    if distinct > _FEW_VALUES and distinct > values / 2:
        return "text", "nearly every value is different"
    return "categorical", None


def _rows(found: list[Attribute]) -> str:
    if not found:
        return ATTRIBUTES.empty_select()
    rows = ", ".join(
        f"({quoted(a.table_name)}, {quoted(a.column_name)}, {quoted(a.kind)}, {a.used}, "
        f"{quoted(a.reason) if a.reason else 'NULL'})"
        for a in found
    )
    names = ", ".join(column.name for column in ATTRIBUTES.columns)
    return f"SELECT * FROM (VALUES {rows}) AS found({names})"
