"""Names of columns: in snake case, matched from file to file, and to the contract."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from conversion_platform_tests.marketplace.reference.settings import How
from conversion_platform_tests.marketplace.reference.verdict import RefusedError


def snake(name: str) -> str:
    """Return a name in small letters and digits of any script, with `_` between its words.

    A letter with an accent is the ASCII letter below it, if there is one.
    """
    out, before = "", ""
    for given in unicodedata.normalize("NFKC", name):
        below = unicodedata.normalize("NFKD", given)[0]
        mark = below if below.isascii() and below.isalpha() else given
        if mark.isascii() and mark.isupper() and before.isascii() and before.isalnum():
            out += "" if before.isupper() else "_"
        is_word = unicodedata.category(mark)[0] in ("L", "M", "N")
        out += mark.casefold() if is_word else "_"
        before = mark
    words = [part for part in out.split("_") if part]
    return "_".join(words) or _called(name) or "column"


def _called(name: str) -> str:
    """Return what the signs are called of which a name consists."""
    called = "_".join(unicodedata.name(mark, "") for mark in name).lower()
    return "_".join(part for part in re.split("[^a-z0-9]", called) if part)


@dataclass
class Columns:
    """The columns of all files of a source.

    Attributes:
        names: The name of each column, as the first file that has it writes it.
        written: All names by which the files call it.
    """

    names: list[str] = field(default_factory=list)
    written: list[set[str]] = field(default_factory=list)

    def places(self, header: list[str]) -> list[int]:
        """Return which column each name of a file's header is.

        Raises:
            RefusedError: it could be several.
        """
        header = [name.strip() or f"column_{place}" for place, name in enumerate(header, 1)]
        found: list[int] = []
        for name in header:
            place = self._known(name, header, found)
            if place is None:
                place = len(self.names)
                self.names.append(name)
                self.written.append(set())
            self.written[place].add(name)
            found.append(place)
        return found

    def _known(self, name: str, header: list[str], taken: list[int]) -> int | None:
        free = [place for place in range(len(self.names)) if place not in taken]
        same = [place for place in free if self.names[place] == name]
        if same:
            return same[0]
        alike = [
            place
            for place in free
            if snake(self.names[place]) == snake(name) and self.names[place] not in header
        ]
        if len(alike) > 1:
            raise RefusedError(f"header {name}")
        return alike[0] if alike else None


def matched(columns: Columns, contract: list[str], how: How) -> dict[str, int]:
    """Return the column of each contract column that the source has.

    Raises:
        RefusedError: a setting names a column that the source lacks, or it could be several.
    """
    found = {}
    for name in contract:
        wanted = how.columns.get(name)
        exact = _where(columns, lambda one, w=wanted or name: one == w)
        alike = _where(
            columns,
            (lambda one, n=name: snake(one) == n)
            if wanted is None
            else (lambda one, w=wanted: one.lower() == w.lower()),
        )
        some = exact or alike
        if len(some) > 1:
            raise RefusedError(f"several columns {name}")
        if some:
            found[name] = some[0]
        elif wanted is not None:
            raise RefusedError(f"no column {wanted}")
    return found


def _where(columns: Columns, holds: object) -> list[int]:
    assert callable(holds)
    return [place for place, name in enumerate(columns.names) if holds(name)]


def further(columns: Columns, taken: set[int], used: set[str]) -> dict[str, int]:
    """Return the columns of a source that are none of the contract, by name in the checked table.

    Args:
        columns: The columns of the source.
        taken: Those that are of the contract.
        used: Names that the checked table has already.
    """
    found: dict[str, int] = {}
    for place, given in enumerate(columns.names):
        if place in taken:
            continue
        name, number = snake(given), 2
        while name in found or name in used:
            name, number = f"{snake(given)}_{number}", number + 1
        found[name] = place
    return found
