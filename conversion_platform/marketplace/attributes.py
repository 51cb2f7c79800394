"""The storage types of attributes (further columns) of users and jobs, chosen as these are loaded.

They depend on the accepted rows only, and not on their order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from conversion_platform.lake import Session, identifier, quoted
from conversion_platform.marketplace.checking import Example, Unread
from conversion_platform.marketplace.contract import Field, Kind
from conversion_platform.marketplace.notation import Notation
from conversion_platform.marketplace.relation import as_text
from conversion_platform.marketplace.source_steps import Source, is_staged_as_text
from conversion_platform.marketplace.tables import ATTRIBUTES
from conversion_platform.marketplace.values import (
    NO_MEASURES,
    Cell,
    is_time,
    measures_query,
    value_sql,
)

AttributeKind = Literal["numeric", "categorical", "boolean", "timestamp", "text"]

_NUMBERS = re.compile(r"^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$")
# Codes that look like numbers but are not quantities.
_CODES = re.compile(
    r"(^|_)(id|ids|uuid|code|zip|zipcode|postcode|postal_code|fips|ssn"
    r"|phone|cellphone|telephone|mobile|cell|tel|msisdn|whatsapp)(_[0-9]+)?$"
)
_TRUE, _FALSE = "('true', 't', 'yes', 'y')", "('false', 'f', 'no', 'n')"
_REASONS = {"numeric": "not_a_number", "timestamp": "not_a_time", "boolean": "not_a_boolean"}


def known_kinds(session: Session, table: str) -> dict[str, AttributeKind]:
    """Return the kinds that the attributes of users, or jobs, had when they were read last."""
    rows = session.con.execute(
        f"SELECT column_name, kind FROM {session.lake.select(ATTRIBUTES)} WHERE table_name = ?",
        [table],
    ).fetchall()
    return dict(rows)


def stored_columns(source: Source, known: Mapping[str, AttributeKind]) -> dict[str, str]:
    """Return SQL of each attribute in the checked table, with its storage type.

    Args:
        source: The source, whose step `accepted` exists.
        known: Kinds that a model knows: they stay, whatever the values look like.

    """
    found = _profiles(source, [name for name in _kinds(source) if not _CODES.search(name)])
    return {
        name: _stored(source, name, kind, _kept(found.get(name, _NO_PROFILE), known.get(name)))
        for name, kind in _kinds(source).items()
    }


def misfits(
    source: Source, known: Mapping[str, AttributeKind], stored: Mapping[str, str]
) -> tuple[Unread, ...]:
    """Return the cells that do not fit the kind which a model knows: they are missing."""
    found = []
    for name, kind in known.items():
        if name not in stored or kind not in _REASONS:
            continue
        row = source.pipeline.con.execute(
            f"SELECT count(*) FROM {source.pipeline.named('accepted')} "
            f"WHERE {identifier(name)} IS NOT NULL AND ({stored[name]}) IS NULL"
        ).fetchone()
        if row and row[0]:
            # An attribute may be a birth date: its values are not shown.
            example = Example(source.relation.place, None, name, "(not shown)")
            found.append(Unread(name, _REASONS[kind], int(row[0]), example))
    return tuple(found)


def _kept(profile: _Profile, known: AttributeKind | None) -> _Profile:
    """Return the profile of a column whose kind a model knows."""
    if known is None:
        return profile
    return replace(profile, kind=known)


def _kinds(source: Source) -> dict[str, str]:
    """Return the DuckDB type of each attribute as it is staged."""
    relation = source.relation
    kinds = {name: relation.columns[column] for name, column in source.matched.attributes.items()}
    return {name: "VARCHAR" if is_staged_as_text(kind) else kind for name, kind in kinds.items()}


@dataclass(frozen=True)
class _Profile:
    """What all values of a text column can be read as, and the currency and unit of numbers."""

    kind: AttributeKind | None
    measures: tuple[str, str] = NO_MEASURES


_NO_PROFILE = _Profile(None)


def _profiles(source: Source, names: Sequence[str]) -> dict[str, _Profile]:
    """Return the profile of each text column."""
    texts = [name for name in names if _kinds(source)[name] == "VARCHAR"]
    if not texts:
        return {}
    con, accepted = source.pipeline.con, source.pipeline.named("accepted")
    measures = _measures(source, texts)
    counts = ", ".join(item for name in texts for item in _counts(source, name, measures[name]))
    row = con.execute(f"SELECT {counts} FROM {accepted}").fetchone()
    assert row is not None
    return {
        name: _Profile(_common_kind(*row[4 * place : 4 * place + 4]), measures[name])
        for place, name in enumerate(texts)
    }


def _common_kind(values: int, booleans: int, numbers: int, times: int) -> AttributeKind | None:
    for kind, count in (("boolean", booleans), ("numeric", numbers), ("timestamp", times)):
        if count == values > 0:
            return cast(AttributeKind, kind)
    return None


def _measures(source: Source, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return SQL of the currency and the unit that most numbers of a column name."""
    con, accepted = source.pipeline.con, source.pipeline.named("accepted")
    query = measures_query({name: identifier(name) for name in names}, accepted)
    row = con.execute(query).fetchone()
    assert row is not None
    return {
        name: (quoted(row[2 * place] or ""), quoted(row[2 * place + 1] or ""))
        for place, name in enumerate(names)
    }


def _counts(source: Source, name: str, measures: tuple[str, str]) -> list[str]:
    """Return SQL counts of the values, and of those readable as a boolean, a number, a time.

    A value with a leading zero (02134) or plus (+12135550100) is a code, not a number.
    """
    text = identifier(name)
    return [
        f"count({text})",
        f"count(*) FILTER (lower({text}) IN {_TRUE} OR lower({text}) IN {_FALSE})",
        f"count(*) FILTER ({value_sql(_cell(source, name, 'number', measures))} IS NOT NULL "
        f"AND NOT regexp_matches({text}, '^([+]|-?0[0-9])'))",
        f"count(*) FILTER ({value_sql(_cell(source, name, 'time'))} IS NOT NULL)",
    ]


def _cell(source: Source, name: str, kind: Kind, measures: tuple[str, str] = NO_MEASURES) -> Cell:
    """Return the attribute as a cell of a kind. A time without a zone has the platform's."""
    zone = source.session.settings.platform.time_zone
    notation = Notation.of(source.section, zone)
    return _StagedCell(Field(name, kind), name, _kinds(source)[name], notation, measures)


class _StagedCell(Cell):
    """A cell of the staged table, whose texts are clean already."""

    @property
    def cell(self) -> str:
        return identifier(self.name)


def _stored(source: Source, name: str, kind: str, profile: _Profile) -> str:
    column = identifier(name)
    if profile.kind in ("categorical", "text"):
        return as_text(column, kind)
    if kind == "BOOLEAN":
        return column
    if profile.kind == "boolean":
        yes, no = f"lower({column}) IN {_TRUE}", f"lower({column}) IN {_FALSE}"
        return f"CASE WHEN {yes} THEN true WHEN {no} THEN false END"
    if profile.kind == "timestamp" or is_time(kind):
        return value_sql(_cell(source, name, "time"))
    if profile.kind == "numeric" or (_NUMBERS.match(kind) and not _CODES.search(name)):
        return value_sql(_cell(source, name, "number", profile.measures))
    return as_text(column, kind)
