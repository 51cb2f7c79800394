"""Pointers: which version has a role from a day on, and why. A folder of them is only added to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import RegistryError
from conversion_platform.training.registry.documents import (
    ROOT,
    create_document,
    damaged,
    document_key,
    document_numbers,
    unsealed,
)

if TYPE_CHECKING:
    from conversion_platform.lake import Lake

POINTERS = f"{ROOT}/champion"
SHADOWS = f"{ROOT}/shadow"
CANDIDATES = f"{ROOT}/candidates"
AUTOMATIC = "automatic"
REMEDY = "Promote a version again: its pointer replaces the damaged one."


@dataclass(frozen=True)
class Pointer:
    """A version's role, valid from `day` until the day of the next pointer.

    Attributes:
        number: 1 for the first pointer of a role, and so on.
        version: The version.
        day: The day from which it counts.
        reason: One sentence.
        by: `automatic`, or the name of the person who decided.
        previous: The version that had the role on `day` until then; None if none had it.
        replaces: Numbers of damaged pointers that this one makes up for.
    """

    number: int
    version: str
    day: date
    reason: str
    by: str = AUTOMATIC
    previous: str | None = None
    replaces: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the document, without the number, which is in the file's name."""
        return {
            "version": self.version,
            "day": self.day.isoformat(),
            "reason": self.reason,
            "by": self.by,
            "previous": self.previous,
            "replaces": list(self.replaces),
        }


@dataclass(frozen=True)
class History:
    """All pointers of a role.

    Attributes:
        pointers: Those that can be read, oldest first.
        damaged: The errors of those that cannot be read, by number, if no later one replaces them.
        last: The highest number; 0 if there is none.
    """

    pointers: tuple[Pointer, ...]
    damaged: dict[int, RegistryError]
    last: int

    def valid(self, day: date | None = None) -> Pointer | None:
        """Return the pointer of the latest day up to `day` (of all days if not given)."""
        counting = (one for one in self.pointers if day is None or one.day <= day)
        return max(counting, key=lambda one: (one.day, one.number), default=None)

    def require_readable(self) -> History:
        """Return this history.

        Raises:
            RegistryError: a pointer is damaged, and no later one replaces it.
        """
        for error in self.damaged.values():
            raise error
        return self


def read_history(lake: Lake, folder: str) -> History:
    """Read all pointers of a folder; damaged ones are told apart."""
    numbers = document_numbers(lake, folder)
    pointers, broken = [], {}
    for number in numbers:
        try:
            pointers.append(_pointer(lake, folder, number))
        except RegistryError as error:
            broken[number] = error
    replaced = {number for one in pointers for number in one.replaces}
    left = {number: error for number, error in broken.items() if number not in replaced}
    return History(tuple(pointers), left, numbers[-1] if numbers else 0)


def add_pointer(lake: Lake, folder: str, pointer: Pointer) -> bool:
    """Write a pointer if its number is free; False if another process took it."""
    return create_document(lake, folder, pointer.number, pointer.to_json())


def next_pointer(history: History, version: str, day: date, reason: str, by: str) -> Pointer:
    """Return the pointer that gives `version` the role from `day` on."""
    holder = history.valid(day)
    return Pointer(
        number=history.last + 1,
        version=version,
        day=day,
        reason=reason,
        by=by,
        previous=holder.version if holder else None,
        replaces=tuple(history.damaged),
    )


def _pointer(lake: Lake, folder: str, number: int) -> Pointer:
    key = document_key(folder, number)
    value = unsealed(lake, key, REMEDY)
    try:
        return Pointer(
            number,
            str(value["version"]),
            date.fromisoformat(value["day"]),
            value["reason"],
            value["by"],
            value["previous"],
            tuple(value["replaces"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(lake, key, f"it is no pointer ({error!r})", REMEDY) from error
