"""How a further column becomes values of its kind, whatever type the source has it in.

A kind that a model knows comes before the type: what does not fit is NULL, so that no day stops
and no value of another kind takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from conversion_platform.lake import identifier
from conversion_platform.marketplace.attribute_forms import Form, FormName, forms, likely_time
from conversion_platform.marketplace.contract import Field, Kind
from conversion_platform.marketplace.notation import Notation
from conversion_platform.marketplace.relation import as_text
from conversion_platform.marketplace.source_steps import Source, is_staged_as_text
from conversion_platform.marketplace.values import NO_MEASURES, Cell, is_time, value_sql

AttributeKind = Literal["numeric", "categorical", "boolean", "timestamp", "text"]
Storage = Literal["text", "number", "boolean", "time", "other"]

TRUE, FALSE = "('true', 't', 'yes', 'y')", "('false', 'f', 'no', 'n')"
_NUMBERS = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\([0-9, ]+\))")
# Codes that look like numbers but are not quantities.
_CODES = re.compile(
    r"(^|_)(id|ids|uuid|code|zip|zipcode|postcode|postal_code|fips|ssn"
    r"|phone|cellphone|telephone|mobile|cell|tel|msisdn|whatsapp)(_[0-9]+)?$"
)


@dataclass(frozen=True)
class Profile:
    """What all values of a text column can be read as.

    Attributes:
        kind: That kind; None if there is none.
        form: The form that all of them have, if it is one that is cheap to read.
        measures: SQL of the currency and unit of numbers.
    """

    kind: AttributeKind | None = None
    form: FormName | None = None
    measures: tuple[str, str] = NO_MEASURES


NO_PROFILE = Profile()


def staged_types(source: Source) -> dict[str, str]:
    """Return the DuckDB type of each attribute as it is staged."""
    relation = source.relation
    types = {name: relation.columns[column] for name, column in source.matched.attributes.items()}
    return {name: _staged_type(of) for name, of in types.items()}


def _staged_type(type_name: str) -> str:
    return "VARCHAR" if is_staged_as_text(type_name) else type_name


def storage_of(type_name: str) -> Storage:
    """Return what a DuckDB type holds; nothing is read of types such as TIME, UUID and STRUCT."""
    if type_name == "VARCHAR":
        return "text"
    if type_name == "BOOLEAN":
        return "boolean"
    if _NUMBERS.fullmatch(type_name):
        return "number"
    return "time" if is_time(type_name) else "other"


def is_code_name(name: str) -> bool:
    """Return whether a column is named as codes are, which are no numbers."""
    return _CODES.search(name) is not None


def kind_by_type(name: str, type_name: str) -> AttributeKind:
    """Return the kind of a column of which nothing else is known."""
    storage = storage_of(type_name)
    if storage == "number" and not is_code_name(name):
        return "numeric"
    if storage == "boolean":
        return "boolean"
    return "timestamp" if storage == "time" else "categorical"


@dataclass(frozen=True)
class Staged:
    """An attribute as it is staged, and what its values look like."""

    source: Source
    name: str
    type_name: str
    profile: Profile = NO_PROFILE

    @property
    def column(self) -> str:
        """Its name in SQL."""
        return identifier(self.name)

    @property
    def text(self) -> str:
        """SQL of its text; NULL where it is missing, as NaN is."""
        return as_text(self.column, self.type_name)

    def value(self, kind: Kind) -> str:
        """Return SQL of its value as a contract column of a kind would have it."""
        return value_sql(staged_cell(self.source, self.name, kind, self.profile.measures))


def cast_sql(staged: Staged, kind: AttributeKind) -> str:
    """Return SQL of an attribute's values as one kind; NULL where a cell is none of that kind."""
    form = staged.profile.form
    if form is not None and staged.profile.kind == kind:
        return forms_of(staged.source)[form].value(staged.column)
    if kind in ("categorical", "text"):
        return staged.text
    cast = _CASTS.get((kind, storage_of(staged.type_name)))
    return cast(staged) if cast else f"CAST(NULL AS {_TYPES[kind]})"


def _boolean_words(staged: Staged) -> str:
    text = f"lower({staged.column})"
    return f"CASE WHEN {text} IN {TRUE} THEN true WHEN {text} IN {FALSE} THEN false END"


def _number(staged: Staged) -> str:
    return staged.value("number")


def _time(staged: Staged) -> str:
    return likely_time(staged.value("time"))


_TYPES = {"numeric": "DOUBLE", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP WITH TIME ZONE"}
_CASTS: Mapping[tuple[AttributeKind, Storage], Callable[[Staged], str]] = {
    ("numeric", "text"): _number,
    ("numeric", "number"): _number,
    ("boolean", "text"): _boolean_words,
    ("boolean", "boolean"): lambda staged: staged.column,
    ("timestamp", "text"): _time,
    ("timestamp", "time"): _time,
}


def staged_cell(
    source: Source, name: str, kind: Kind, measures: tuple[str, str] = NO_MEASURES
) -> Cell:
    """Return an attribute as a cell of a kind. A time without a zone has the platform's."""
    staged = _staged_type(source.relation.columns[source.matched.attributes[name]])
    return _StagedCell(Field(name, kind), name, staged, _notation(source), measures)


def forms_of(source: Source) -> dict[FormName, Form]:
    """Return the cheap forms, as the settings of a source read them."""
    return forms(source.section, _notation(source).zone)


def _notation(source: Source) -> Notation:
    return Notation.of(source.section, source.session.settings.platform.time_zone)


class _StagedCell(Cell):
    """A cell of the staged table, whose texts are clean already."""

    @property
    def cell(self) -> str:
        return identifier(self.name)
