"""The storage types of attributes (further columns) of users and jobs, chosen as these are loaded.

They depend on the accepted rows only, and not on their order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Literal

from conversion_platform.lake import Session, identifier, quoted
from conversion_platform.marketplace.attribute_forms import (
    Form,
    FormName,
    forms,
    is_code,
    likely_time,
)
from conversion_platform.marketplace.checking import Example, Unread
from conversion_platform.marketplace.contract import Field, Kind
from conversion_platform.marketplace.notation import Notation
from conversion_platform.marketplace.relation import as_text
from conversion_platform.marketplace.source_steps import Source, is_staged_as_text
from conversion_platform.marketplace.tables import ATTRIBUTES
from conversion_platform.marketplace.values import (
    FIRST_TIME,
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
_MANY, _FEW = 50, 10  # columns that one query reads at little cost, and by long SQL
_REASONS = {"numeric": "not_a_number", "timestamp": "not_a_time", "boolean": "not_a_boolean"}


def batches(names: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Yield some names at a time: what a query costs to plan grows faster than its columns."""
    for first in range(0, len(names), most):
        yield names[first : first + most]


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
    kinds = _kinds(source)
    texts = [name for name, kind in kinds.items() if kind == "VARCHAR" and not _CODES.search(name)]
    found = _profiles(source, texts, {name for name, kind in known.items() if kind == "numeric"})
    return {
        name: _stored(source, name, kind, _kept(found.get(name, _NO_PROFILE), known.get(name)))
        for name, kind in kinds.items()
    }


def misfits(
    source: Source, known: Mapping[str, AttributeKind], stored: Mapping[str, str]
) -> tuple[Unread, ...]:
    """Return the cells that do not fit the kind which a model knows: they are missing."""
    kept = [name for name, kind in known.items() if name in stored and kind in _REASONS]
    counts = _of_columns(
        source,
        kept,
        lambda name: [
            f"count(*) FILTER ({identifier(name)} IS NOT NULL AND ({stored[name]}) IS NULL)"
        ],
        _FEW,
    )
    # An attribute may be a birth date: its values are not shown.
    return tuple(
        Unread(
            name,
            _REASONS[known[name]],
            count,
            Example(source.relation.place, None, name, "(not shown)"),
        )
        for name, (count,) in counts.items()
        if count
    )


def _kept(profile: _Profile, known: AttributeKind | None) -> _Profile:
    """Return the profile of a column whose kind a model knows."""
    if known is None or known == profile.kind:
        return profile
    return replace(profile, kind=known, form=None)


def _kinds(source: Source) -> dict[str, str]:
    """Return the DuckDB type of each attribute as it is staged."""
    relation = source.relation
    kinds = {name: relation.columns[column] for name, column in source.matched.attributes.items()}
    return {name: "VARCHAR" if is_staged_as_text(kind) else kind for name, kind in kinds.items()}


@dataclass(frozen=True)
class _Profile:
    """What all values of a text column can be read as.

    Attributes:
        kind: That kind; None if there is none.
        form: The form that all of them have, if it is one that is cheap to read.
        measures: SQL of the currency and unit of numbers.
    """

    kind: AttributeKind | None = None
    form: FormName | None = None
    measures: tuple[str, str] = NO_MEASURES


_NO_PROFILE = _Profile()


def _profiles(
    source: Source, names: Sequence[str], numeric: Collection[str]
) -> dict[str, _Profile]:
    """Return the profile of each text column.

    The SQL that reads any number or any time is long, and so dear to plan: only columns that can be
    such, and have no form that is cheap to read, are read by it.

    Args:
        source: The source, whose step `accepted` exists.
        names: The columns.
        numeric: Those that a model knows as numbers.
    """
    looks = _of_columns(source, names, lambda name: _looks(source, name), _MANY)
    found = {name: _profile_of(_forms(source), *row) for name, row in looks.items()}
    unclear = [
        name
        for name, profile in found.items()
        if profile is None or (name in numeric and profile.kind != "numeric")
    ]
    measures = _measures(source, unclear)
    counts = _of_columns(source, unclear, lambda name: _counts(source, name, measures[name]), _FEW)
    read = {
        name: _Profile(_common_kind(*row), measures=measures[name]) for name, row in counts.items()
    }
    return {name: read.get(name) or found[name] or _NO_PROFILE for name in names}


def _of_columns(
    source: Source, names: Sequence[str], items: Callable[[str], list[str]], most: int
) -> dict[str, tuple[int, ...]]:
    """Return aggregates of each column over the accepted rows.

    Args:
        source: The source, whose step `accepted` exists.
        names: The columns.
        items: SQL of the aggregates of one column.
        most: Number of columns that one query reads at most.
    """
    con, accepted = source.pipeline.con, source.pipeline.named("accepted")
    found: dict[str, tuple[int, ...]] = {}
    for some in batches(names, most):
        parts = [items(name) for name in some]
        row = con.execute(f"SELECT {', '.join(chain(*parts))} FROM {accepted}").fetchone()
        values = iter(row or ())
        for name, part in zip(some, parts, strict=True):
            found[name] = tuple(islice(values, len(part)))
    return found


def _looks(source: Source, name: str) -> list[str]:
    """Return SQL counts of the values, and of those that are a boolean or of a form."""
    text = identifier(name)
    conditions = [
        f"lower({text}) IN {_TRUE} OR lower({text}) IN {_FALSE}",
        *(form.matches(text) for form in _forms(source).values()),
        f"regexp_matches({text}, '[0-9]')",
    ]
    return [f"count({text})", *(f"count(*) FILTER ({one})" for one in conditions)]


def _profile_of(
    known: Mapping[FormName, Form], values: int, booleans: int, *counts: int
) -> _Profile | None:
    """Return the profile of a column, given how many values are of each form; None if unclear.

    Args:
        known: The forms.
        values: Number of its values.
        booleans: Number of those that are a boolean.
        counts: Number of those of each form, and of those with a digit.
    """
    if values == 0:
        return _NO_PROFILE
    if booleans == values:
        return _Profile("boolean")
    *of_forms, with_digits = counts
    for (name, form), count in zip(known.items(), of_forms, strict=True):
        if count == values:
            return _Profile(form.kind, name)
    return None if with_digits == values else _NO_PROFILE


def _common_kind(values: int, numbers: int, times: int) -> AttributeKind | None:
    if numbers == values > 0:
        return "numeric"
    return "timestamp" if times == values > 0 else None


def _measures(source: Source, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return SQL of the currency and the unit that most numbers of a column name."""
    con, accepted = source.pipeline.con, source.pipeline.named("accepted")
    found: dict[str, tuple[str, str]] = {}
    for some in batches(names, _FEW):
        query = measures_query({name: identifier(name) for name in some}, accepted)
        row = con.execute(query).fetchone()
        assert row is not None
        found |= {
            name: (quoted(row[2 * place] or ""), quoted(row[2 * place + 1] or ""))
            for place, name in enumerate(some)
        }
    return found


def _counts(source: Source, name: str, measures: tuple[str, str]) -> list[str]:
    """Return SQL counts of the values, and of those readable as a number, a time.

    A value with a leading zero (02134) or plus (+12135550100) is a code, not a number.
    """
    text = identifier(name)
    return [
        f"count({text})",
        f"count(*) FILTER ({value_sql(_cell(source, name, 'number', measures))} IS NOT NULL "
        f"AND NOT {is_code(text)})",
        f"count(*) FILTER ({value_sql(_cell(source, name, 'time'))} >= {FIRST_TIME})",
    ]


def _cell(source: Source, name: str, kind: Kind, measures: tuple[str, str] = NO_MEASURES) -> Cell:
    """Return the attribute as a cell of a kind. A time without a zone has the platform's."""
    staged = source.relation.columns[source.matched.attributes[name]]
    kind_staged = "VARCHAR" if is_staged_as_text(staged) else staged
    return _StagedCell(Field(name, kind), name, kind_staged, _notation(source), measures)


def _forms(source: Source) -> dict[FormName, Form]:
    return forms(source.section, _notation(source).zone)


def _notation(source: Source) -> Notation:
    return Notation.of(source.section, source.session.settings.platform.time_zone)


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
    if profile.form is not None:
        return _forms(source)[profile.form].value(column)
    if profile.kind == "timestamp" or is_time(kind):
        return likely_time(value_sql(_cell(source, name, "time")))
    if profile.kind == "numeric" or (_NUMBERS.match(kind) and not _CODES.search(name)):
        return value_sql(_cell(source, name, "number", profile.measures))
    return as_text(column, kind)
