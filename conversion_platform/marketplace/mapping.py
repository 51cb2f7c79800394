"""Maps source columns to contract columns, and names the further ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conversion_platform.errors import SourceError
from conversion_platform.marketplace.contract import Contract
from conversion_platform.marketplace.errors import nearest
from conversion_platform.marketplace.headers import snake
from conversion_platform.marketplace.relation import Relation
from conversion_platform.marketplace.shown_names import list_of, showable
from conversion_platform.settings import SourceSection

_SEPARATORS = (";", "\t", "|", ",")
_RESERVED = "_cp_"

OF_HISTORY = frozenset(
    {"valid_from", "present", "told_at", "told_from", "next_from", "from_day", "to_day", "change"}
    | {"content", "content_before", "is_first", "known_key", "known_content", "known_start"}
)
"""Columns of the tables of history and of its queries, beside those of users and jobs."""


@dataclass(frozen=True)
class Matched:
    """Contract column -> source column, and attribute name -> source column, by names in SQL."""

    contract: Mapping[str, str]
    attributes: Mapping[str, str]


def map_columns(contract: Contract, section: SourceSection, relation: Relation) -> Matched:
    """Match the contract to a relation: the setting first, then equal names, then snake case.

    Raises:
        SourceError: a mapped or a required column is missing, in the source or in one of its
            files; or several columns could be the one; the message names the nearest.
    """
    _check_settings(contract, section)
    _check_names(contract, relation)
    found: dict[str, str] = {}
    for field in contract.fields:
        wanted = section.columns.get(field.name)
        column = (
            _by_name(field.name, contract, relation)
            if wanted is None
            else _exactly(wanted, field.name, contract, relation)
        )
        if column is not None:
            found[field.name] = column
        elif field.name in contract.required:
            raise _missing(field.name, contract, relation)
        if field.name in contract.required and found[field.name] in relation.lacking:
            raise _missing_in(relation.lacking[found[field.name]], found[field.name], relation)
    return Matched(found, _attributes(contract, relation, set(found.values())))


def _check_settings(contract: Contract, section: SourceSection) -> None:
    known = [field.name for field in contract.fields]
    for name in section.columns:
        if name not in known:
            raise SourceError(
                f"{contract.setting}.columns.{name}: `{name}` is not a contract column of "
                f"{contract.name}.{nearest(name, known)}",
                f"Contract columns: {', '.join(known)}. Further columns need no mapping.",
            )


def _check_names(contract: Contract, relation: Relation) -> None:
    for name in relation.names.values():
        if name.lower().startswith(_RESERVED):
            raise SourceError(
                f"{contract.setting}: the column `{name}` of {relation.place} has a name that the "
                f"platform uses itself (`{_RESERVED}...`).",
                f"Rename it, or leave it out with {contract.setting}.sql.",
            )


def _by_name(field: str, contract: Contract, relation: Relation) -> str | None:
    """Return the column that is named like a contract column, exactly or in snake case."""
    exact = [column for column, name in relation.names.items() if name == field]
    alike = [column for column, name in relation.names.items() if snake(name) == field]
    if len(exact) > 1 or (not exact and len(alike) > 1):
        raise _ambiguous(field, exact or alike, contract, relation)
    return next(iter(exact or alike), None)


def _exactly(wanted: str, field: str, contract: Contract, relation: Relation) -> str:
    exact = [column for column, name in relation.names.items() if name == wanted]
    alike = [column for column, name in relation.names.items() if name.lower() == wanted.lower()]
    if len(exact) > 1 or (not exact and len(alike) > 1):
        raise _ambiguous(field, exact or alike, contract, relation)
    for column in (*exact, *alike):
        return column
    raise SourceError(
        f"{contract.setting}.columns.{field} = {wanted!r}: {relation.place} has no such column."
        f"{nearest(wanted, _showable(relation))}",
        _existing_columns(contract, relation),
    )


def _ambiguous(
    field: str, columns: list[str], contract: Contract, relation: Relation
) -> SourceError:
    names = ", ".join(f"`{relation.names[column]}`" for column in columns)
    return SourceError(
        f"{contract.setting}: several columns of {relation.place} could be `{field}`: {names}.",
        f'Name the one that is meant: [{contract.setting}.columns] {field} = "...".',
    )


def _missing(field: str, contract: Contract, relation: Relation) -> SourceError:
    return SourceError(
        f"{contract.setting}: {relation.place} has no column `{field}`, which {contract.name} "
        f"need.{nearest(field, _showable(relation))}",
        f'Name the column in the settings: [{contract.setting}.columns] {field} = "...". '
        + _existing_columns(contract, relation),
    )


def _missing_in(file: str, column: str, relation: Relation) -> SourceError:
    return SourceError(
        f"{relation.setting}: {file} has no column `{relation.names[column]}`, which other files "
        "of the source have: has it a header?",
        "Export the file again with its column names in the first line, or leave it out of "
        f"{relation.setting}.path.",
    )


def _existing_columns(contract: Contract, relation: Relation) -> str:
    names = list(relation.names.values())
    separator = next((mark for mark in _SEPARATORS if mark in names[0]), None) if names else None
    if len(names) == 1 and separator:
        return (
            f"The whole header is one column, and it looks separated by {separator!r}: "
            f"set {contract.setting}.delimiter to that."
        )
    listed = f"Columns of the source: {list_of({name: name for name in names}, relation.doubted)}."
    if relation.wider_line:
        return (
            f"{listed} Line {relation.wider_line} has more fields than the header: if that is the "
            f"header, set {contract.setting}.header_row = {relation.wider_line}."
        )
    return listed


def _showable(relation: Relation) -> list[str]:
    return showable(
        {name: name for name in relation.names.values() if name not in relation.doubted}
    )


def _attributes(contract: Contract, relation: Relation, taken: set[str]) -> dict[str, str]:
    """Return the further columns by name in the checked table; the day of a folder is none.

    A name that is repeated, or that the tables and queries of history use, is numbered.
    """
    used = {column.name for column in contract.columns} | {"dt"} | OF_HISTORY
    names: dict[str, str] = {}
    for column, given in relation.names.items():
        if column in taken or column == relation.day_column:
            continue
        name, number = snake(given), 2
        while name in used:
            name, number = f"{snake(given)}_{number}", number + 1
        used.add(name)
        names[name] = column
    return names
