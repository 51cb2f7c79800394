"""Maps source columns to contract columns, and names the further ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from conversion_platform.errors import SourceError
from conversion_platform.marketplace.contract import Contract
from conversion_platform.marketplace.errors import nearest
from conversion_platform.marketplace.relation import Relation
from conversion_platform.settings import SourceSection

_SEPARATORS = (";", "\t", "|", ",")


@dataclass(frozen=True)
class Matched:
    """Contract column -> source column, and attribute name -> source column."""

    contract: Mapping[str, str]
    attributes: Mapping[str, str]


def map_columns(contract: Contract, section: SourceSection, relation: Relation) -> Matched:
    """Match the contract to a relation: the setting first, then equal names, then snake case.

    Raises:
        SourceError: a mapped or a required column is missing; the message names the nearest.
    """
    _check_settings(contract, section)
    names = list(reversed(list(relation.columns)))
    named = {**{snake(name): name for name in names}, **{name: name for name in names}}
    found: dict[str, str] = {}
    for field in contract.fields:
        wanted = section.columns.get(field.name)
        if wanted is not None:
            found[field.name] = _exactly(wanted, field.name, contract, relation)
        elif field.name in named:
            found[field.name] = named[field.name]
        elif field.name in contract.required:
            raise _missing(field.name, contract, relation)
    return Matched(found, _attributes(contract, relation, set(found.values())))


def snake(name: str) -> str:
    """Return a column name in snake case: `State.Name` and `stateName` become `state_name`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_") or "column"


def _check_settings(contract: Contract, section: SourceSection) -> None:
    known = [field.name for field in contract.fields]
    for name in section.columns:
        if name not in known:
            raise SourceError(
                f"{contract.setting}.columns.{name}: `{name}` is not a contract column of "
                f"{contract.name}.{nearest(name, known)}",
                f"Contract columns: {', '.join(known)}. Further columns need no mapping.",
            )


def _exactly(wanted: str, field: str, contract: Contract, relation: Relation) -> str:
    for name in relation.columns:
        if name == wanted or name.lower() == wanted.lower():
            return name
    raise SourceError(
        f"{contract.setting}.columns.{field} = {wanted!r}: {relation.place} has no such column."
        f"{nearest(wanted, relation.columns)}",
        _existing_columns(contract, relation),
    )


def _missing(field: str, contract: Contract, relation: Relation) -> SourceError:
    return SourceError(
        f"{contract.setting}: {relation.place} has no column `{field}`, which {contract.name} "
        f"need.{nearest(field, relation.columns)}",
        f'Name the column in the settings: [{contract.setting}.columns] {field} = "...". '
        + _existing_columns(contract, relation),
    )


def _existing_columns(contract: Contract, relation: Relation) -> str:
    names = list(relation.columns)
    separator = next((mark for mark in _SEPARATORS if mark in names[0]), None) if names else None
    if len(names) == 1 and separator:
        return (
            f"The whole header is one column, and it looks separated by {separator!r}: "
            f"set {contract.setting}.delimiter to that."
        )
    shown = ", ".join(names[:30]) + (" ..." if len(names) > 30 else "")
    return f"Columns of the source: {shown}."


def _attributes(contract: Contract, relation: Relation, taken: set[str]) -> dict[str, str]:
    """Return the further columns by name in the checked table; repeated names are numbered."""
    used = {column.name for column in contract.table.columns} | {"dt"}
    names: dict[str, str] = {}
    for column in relation.columns:
        if column in taken:
            continue
        name, number = snake(column), 2
        while name in used:
            name, number = f"{snake(column)}_{number}", number + 1
        used.add(name)
        names[name] = column
    return names
