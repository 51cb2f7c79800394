"""The roles of versions: champion, candidate, shadow; each with its history.

A day's champion is the pointer of the latest day up to that one (of two for a day, the higher
number): days that are run again, or late, are not scored by a model trained on later data. The
champion is the one of the latest day of all; the version that it replaced is the previous one.
"""

from __future__ import annotations

import itertools
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.errors import RegistryError
from conversion_platform.features import attributes_of
from conversion_platform.marketplace import AttributeKind, known_kinds
from conversion_platform.training.registry.pointers import (
    AUTOMATIC,
    CANDIDATES,
    POINTERS,
    SHADOWS,
    History,
    Pointer,
    add_pointer,
    next_pointer,
    read_history,
)
from conversion_platform.training.registry.versions import load_card, require_whole

if TYPE_CHECKING:
    from conversion_platform.lake import Lake, Session


def promotions(lake: Lake) -> list[Pointer]:
    """Return all champion pointers, oldest first.

    Raises:
        RegistryError: a pointer is damaged, and none replaces it.
    """
    return list(_champions(lake).pointers)


def current_promotion(lake: Lake, day: date | None = None) -> Pointer | None:
    """Return the pointer that is valid on a day (the newest if not given); None before the first.

    Raises:
        RegistryError: a pointer is damaged, and none replaces it.
    """
    return _champions(lake).valid(day)


def champion(lake: Lake, day: date | None = None) -> str | None:
    """Return the champion of a day (the newest if not given); None if none was promoted.

    Raises:
        RegistryError: a pointer is damaged, and none replaces it.
    """
    pointer = current_promotion(lake, day)
    return pointer.version if pointer else None


def known_attributes(session: Session, table: str) -> dict[str, AttributeKind]:
    """Return the attributes of users, or jobs, that the champion knows, with their kinds."""
    version = champion(session.lake)
    if version is None:
        return {}
    kinds = known_kinds(session, table)
    features = load_card(session.lake, version).spec.names()
    return {name: kinds[name] for name in attributes_of(features, table, kinds)}


def require_champion(lake: Lake, day: date | None = None) -> str:
    """Return the champion of a day (the newest if not given).

    Raises:
        RegistryError: if none has been promoted for it.
    """
    return _required(_champions(lake), day)


def champions(lake: Lake, days: DayRange) -> list[tuple[str, DayRange]]:
    """Return the champions of a range of days, each with its consecutive days.

    Raises:
        RegistryError: if none has been promoted for one of the days.
    """
    history = _champions(lake)
    by_version = itertools.groupby(days, key=lambda day: _required(history, day))
    return [(version, DayRange.spanning(list(part))) for version, part in by_version]


def _champions(lake: Lake) -> History:
    return read_history(lake, POINTERS).require_readable()


def _required(history: History, day: date | None) -> str:
    current = history.valid(day)
    if current is None:
        first = min((pointer.day for pointer in history.pointers), default=None)
        since = f" for {day}: the first one counts from {first} on" if first else " yet"
        raise RegistryError(
            f"There is no champion model{since}.",
            "Train one: `conversion-platform train --day D`, or the job `train` for that day on "
            "Dagster's pages.",
        )
    return current.version


def promote(lake: Lake, version: str, day: date, reason: str, by: str = AUTOMATIC) -> Pointer:
    """Make `version` the champion from `day` on by adding a pointer; earlier pointers are kept.

    Promoting the champion of `day` again adds nothing.

    Raises:
        RegistryError: the version is missing or damaged, or `day` has a champion already and a
            later day has another one.
    """
    require_whole(lake, version)
    while True:
        history = read_history(lake, POINTERS)
        added = _added(lake, history, version, day, reason, by)
        if added is not None:
            return added


def replace_champion(lake: Lake, version: str, day: date, reason: str, holder: str | None) -> bool:
    """Make `version` the champion if `holder` still is the champion of `day`; say whether it did.

    A decision takes minutes, and another promotion may come in between.

    Raises:
        RegistryError: as `promote`.
    """
    require_whole(lake, version)
    while True:
        history = read_history(lake, POINTERS)
        current = history.valid(day)
        if (current.version if current else None) != holder:
            return False
        if _added(lake, history, version, day, reason, AUTOMATIC) is not None:
            return True


def _added(
    lake: Lake, history: History, version: str, day: date, reason: str, by: str
) -> Pointer | None:
    """Return the pointer to `version` that is valid on `day`; None if another process came first.

    Raises:
        RegistryError: a training for an older day would replace the champion of later days.
    """
    holder, newest = history.valid(day), history.valid()
    if holder is not None and holder.version == version and not history.damaged:
        return holder
    if holder is not None and newest is not None and newest.day > day:
        raise RegistryError(
            f"{version} cannot become the champion from {day} on: {holder.version} was the "
            f"champion of that day, and {newest.version} is the champion from {newest.day} on.",
            f"Promote it from {newest.day} or a later day on (`conversion-platform models promote "
            f"{version} --day D --reason R`).",
        )
    pointer = next_pointer(history, version, day, reason, by)
    return pointer if add_pointer(lake, POINTERS, pointer) else None


def rollback(lake: Lake, day: date, reason: str, by: str) -> Pointer:
    """Make the previous champion the champion again from `day` on.

    Raises:
        RegistryError: no champion was replaced, or the previous one is missing or damaged.
    """
    current = current_promotion(lake)
    if current is None or current.previous is None:
        raise RegistryError(
            "There is no previous champion to go back to.",
            "`conversion-platform models list` shows the versions; `models promote VERSION` makes "
            "one of them the champion.",
        )
    return promote(lake, current.previous, day, reason, by)


def name_candidate(lake: Lake, day: date, version: str) -> None:
    """Store which version the training of `day` produced; earlier ones are kept."""
    while True:
        history = read_history(lake, _candidates(day))
        current = history.valid()
        if current is not None and current.version == version and not history.damaged:
            return
        pointer = next_pointer(history, version, day, "The training of the day.", AUTOMATIC)
        if add_pointer(lake, _candidates(day), pointer):
            return


def candidate(lake: Lake, day: date) -> str:
    """Return the version that the training of `day` produced last.

    Raises:
        RegistryError: no training ran for that day, or its pointer is damaged.
    """
    pointer = read_history(lake, _candidates(day)).require_readable().valid()
    if pointer is None:
        raise RegistryError(
            f"No candidate was trained for {day}.", "Materialise `candidate_model` for that day."
        )
    return pointer.version


def newest_candidate(lake: Lake) -> str | None:
    """Return the candidate of the latest day that was trained for; None before the first.

    Raises:
        RegistryError: its pointer is damaged.
    """
    days = {key.split("/")[2] for key in lake.storage.list(CANDIDATES)}
    return candidate(lake, date.fromisoformat(max(days))) if days else None


def _candidates(day: date) -> str:
    return f"{CANDIDATES}/{day.isoformat()}"


def name_shadow(lake: Lake, version: str, day: date, reason: str, by: str = AUTOMATIC) -> Pointer:
    """Let `version` be the shadow, which scores beside the champion unsent, from `day` on.

    Raises:
        RegistryError: the version is missing or damaged.
    """
    require_whole(lake, version)
    while True:
        history = read_history(lake, SHADOWS)
        current = history.valid(day)
        if current is not None and current.version == version and not history.damaged:
            return current
        pointer = next_pointer(history, version, day, reason, by)
        if add_pointer(lake, SHADOWS, pointer):
            return pointer


def shadow(lake: Lake, day: date | None = None) -> str | None:
    """Return the shadow of a day (the newest if not given); None if it became the champion.

    Raises:
        RegistryError: a pointer is damaged, and none replaces it.
    """
    pointer = read_history(lake, SHADOWS).require_readable().valid(day)
    if pointer is None or pointer.version == champion(lake, day):
        return None
    return pointer.version
