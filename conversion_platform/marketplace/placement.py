"""Which table holds which column of users and jobs: hiding is by files, never by columns.

What the settings list lies in `users` or `jobs`, for anyone to read; a protected attribute in
`users_protected`; every other further column in `users_contacts` or `jobs_contacts`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conversion_platform.errors import SourceError
from conversion_platform.lake import Column, Part, identifier
from conversion_platform.marketplace.columns import by_name
from conversion_platform.marketplace.contract import Contract, section_of
from conversion_platform.marketplace.errors import nearest
from conversion_platform.marketplace.headers import snake, spellings
from conversion_platform.marketplace.shown_names import list_of, showable

if TYPE_CHECKING:
    from conversion_platform.settings import Settings


@dataclass(frozen=True)
class Placement:
    """The further columns of a source by where they lie; one may be listed and protected.

    Attributes:
        listed: What the settings list.
        protected: Protected attributes.
        kept_apart: All others.
        gone: What the settings list, a model knows, and the source has no more.
    """

    listed: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    kept_apart: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def placement_of(
    settings: Settings,
    contract: Contract,
    further: Mapping[str, str],
    known: Collection[str] = (),
) -> Placement:
    """Return where each further column lies.

    Args:
        settings: The settings in force.
        contract: Users or jobs.
        further: Further columns by their names in the checked table, with those in the source.
        known: Names that a model knows: where the source has one no more, no day stops for it.

    Raises:
        SourceError: a setting names a column that does not exist, or a protected one that
            `features.allow_protected_features` does not name.
    """
    section = section_of(settings, contract.of_entities)
    allowed = settings.features.allow_protected_features
    gone = [name for name in _snaked(section.attributes, further) if name in known]
    wanted = [name for name in section.attributes if snake(name) not in gone]
    listed = _named(f"{contract.setting}.attributes", wanted, further)
    protected = {
        name
        for name, given in further.items()
        if _is_protected(contract, name) or _is_protected(contract, snake(given))
    }
    if contract.protected:
        mapped = spellings(section.columns.values())
        allowed = tuple(name for name in allowed if snake(name) not in {*gone, *mapped})
        allowed = tuple(_named("features.allow_protected_features", allowed, further))
        _refuse_protected(contract, [name for name in listed if name in protected - {*allowed}])
    return Placement(
        tuple(listed),
        tuple(name for name in further if name in protected),
        tuple(name for name in further if name not in protected and name not in listed),
        tuple(gone),
    )


def _snaked(names: Iterable[str], further: Mapping[str, str]) -> list[str]:
    """Return those of some names, as the checked table writes them, that no further column has."""
    given = {*further, *further.values()}
    return [snake(name) for name in names if name not in given and snake(name) not in further]


def placement_in_lake(settings: Settings, contract: Contract, names: Sequence[str]) -> Placement:
    """Return where further columns lie that a lake has already, whatever else the settings list.

    A protected attribute that is listed without an allowance lies apart.
    """
    listed = spellings(section_of(settings, contract.of_entities).attributes)
    allowed = spellings(settings.features.allow_protected_features)
    protected = {name for name in names if _is_protected(contract, name)}
    shown = tuple(name for name in names if name in listed and name not in protected - allowed)
    return Placement(
        shown,
        tuple(name for name in names if name in protected),
        tuple(name for name in names if name not in protected and name not in shown),
    )


def _is_protected(contract: Contract, name: str) -> bool:
    """Return whether a further column is a protected attribute, by its name."""
    return (
        contract.protected is not None and by_name(contract.of_entities, name).kind == "protected"
    )


def _named(setting: str, names: Iterable[str], further: Mapping[str, str]) -> list[str]:
    """Return the further columns that a setting names, by either of their names."""
    by_given = {given: name for name, given in further.items()}
    found = []
    for name in dict.fromkeys(names):
        column = by_given.get(name, name if name in further else snake(name))
        if column not in further:
            fine = showable(further)
            known = [*fine, *(further[one] for one in fine)]
            raise SourceError(
                f"{setting}: no further column is named `{name}`.{nearest(name, known)}",
                f"Further columns of the source: {list_of(further)}.",
            )
        found.append(column)
    return list(dict.fromkeys(found))


def refuse_protected_sources(settings: Settings, contract: Contract) -> None:
    """Refuse a contract column that is to hold a protected attribute of users.

    Raises:
        SourceError: `columns` maps such a source column, and `features.allow_protected_features`
            does not name it.
    """
    section = section_of(settings, contract.name)
    allowed = spellings(settings.features.allow_protected_features)
    for name, given in section.columns.items():
        if _is_protected(contract, snake(given)) and not spellings([given]) & allowed:
            raise SourceError(
                f"{contract.setting}.columns.{name} = {json.dumps(given, ensure_ascii=False)} maps "
                "a protected attribute: a model must not decide by it.",
                "Take it out: the attribute is kept in users_protected, for audits. If the law "
                "where you work allows it as a feature, or it is none, name it: "
                f"features.allow_protected_features = [{json.dumps(given, ensure_ascii=False)}].",
            )


def personal_sources(settings: Settings, contract: Contract) -> Iterator[str]:
    """Yield a sentence for each open contract column that a personal source column is mapped to.

    Ids are told apart from it: they are shown in any case.
    """
    section = section_of(settings, contract.name)
    shown = {column.name for column in contract.table.columns} - {contract.key}
    for name, given in section.columns.items():
        found = by_name(contract.of_entities, snake(given))
        if name in shown and found.kind == "personal":
            yield (
                f"{contract.setting}.columns.{name} maps a column that looks personal "
                f"({found.why}): anyone may read {name}. Map another one, or take it out."
            )


def _refuse_protected(contract: Contract, names: list[str]) -> None:
    if not names:
        return
    listed = ", ".join(f'"{name}"' for name in names)
    raise SourceError(
        f"{contract.setting}.attributes lists protected attributes ({', '.join(names)}): a model "
        "must not decide by them.",
        f"Take them out of {contract.setting}.attributes: they are kept in users_protected, for "
        "audits. If the law where you work allows them as features, name them: "
        f"features.allow_protected_features = [{listed}].",
    )


def parts_of(contract: Contract, placement: Placement, rows: str) -> list[Part]:
    """Return what is written of checked rows: personal tables first, so that `users` is the last.

    Args:
        contract: Users or jobs.
        placement: Where further columns lie.
        rows: A relation with every contract column and every further one.
    """
    further = {
        contract.table: placement.listed,
        contract.contacts: placement.kept_apart,
        contract.protected: placement.protected,
    }
    return [
        Part(table, f"SELECT {_select_list(table.columns, further[table])} FROM {rows}")
        for table in contract.parts
    ]


def _select_list(columns: Iterable[Column], further: Iterable[str]) -> str:
    return ", ".join(identifier(name) for name in (*(one.name for one in columns), *further))
