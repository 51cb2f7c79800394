"""The columns of files whose headers differ: by which name SQL knows each, in every file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from conversion_platform.errors import SourceError
from conversion_platform.marketplace.shown_names import list_of, showable


@cache
def snake(name: str) -> str:
    """Return a column name in snake case: `State.Name` and `stateName` become `state_name`.

    Letters and digits of every script stay, without accents where an ASCII letter is left: `Âge`
    becomes `age`. What nobody sees (a zero-width space, a soft hyphen) goes. A name of signs alone
    becomes what these are called: `$` is `dollar_sign`.
    """
    seen = "".join(one for one in name if unicodedata.category(one) != "Cf")
    plain = "".join(map(_without_accent, unicodedata.normalize("NFKC", seen)))
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    folded = unicodedata.normalize("NFKC", spaced.casefold())
    kept = "".join(one if unicodedata.category(one)[0] in "LMN" else "_" for one in folded)
    return re.sub("__+", "_", kept).strip("_") or _signs(folded) or "column"


def spellings(names: Iterable[str]) -> set[str]:
    """Return names that settings give, as they are and as the checked tables write them."""
    given = set(names)
    return given | set(map(snake, given))


def _without_accent(letter: str) -> str:
    base = unicodedata.normalize("NFKD", letter)[0]
    return base if base.isascii() and base.isalpha() else letter


def _signs(text: str) -> str:
    """Return what the signs of a text are called: a column with a name is not told by its place."""
    names = "_".join(unicodedata.name(sign, "") for sign in text)
    return re.sub("[^a-z0-9]+", "_", names.lower()).strip("_")


class Headers:
    """Matches the header of each file to the columns of those before it.

    Names in SQL ignore the case: of `id` and `ID` in one file the second is `ID_2` there. A name
    that an earlier file writes otherwise (`User ID`, `user_id`) is the same column.

    Attributes:
        names: Name in SQL -> name in the header of the first file that has it.
        aliases: Name in SQL -> its names in all headers.
    """

    def __init__(self, setting: str) -> None:
        self.names: dict[str, str] = {}
        self.aliases: dict[str, list[str]] = {}
        self._setting = setting

    def columns(self, header: Sequence[str]) -> list[str]:
        """Return the names in SQL of one file's columns.

        Args:
            header: The names in its header; one without a name is called `column_N`.
        """
        found: list[str] = []
        given = [name.strip() or f"column_{place}" for place, name in enumerate(header, start=1)]
        own = set(given)
        earlier = {sql: first for sql, first in self.names.items() if first not in own}
        for name in given:
            sql = self._known(name, earlier, found) or self._new(name, found)
            if name not in self.aliases.setdefault(sql, []):
                self.aliases[sql].append(name)
            found.append(sql)
        return found

    def lacking(self, columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Return, for each column that some file lacks, the first such file.

        Args:
            columns: The columns of each file.
        """
        return {
            name: next(file for file, own in columns.items() if name not in own)
            for name in self.names
            if any(name not in own for own in columns.values())
        }

    def _known(self, name: str, earlier: Mapping[str, str], taken: Sequence[str]) -> str | None:
        """Return the column of an earlier file that a name means, if there is one."""
        exact = [sql for sql, first in self.names.items() if first == name and sql not in taken]
        if exact:
            return exact[0]
        alike = [
            sql
            for sql, first in earlier.items()
            if snake(first) == snake(name) and sql not in taken
        ]
        if len(alike) > 1:
            later = ", ".join(f"`{one}`" for one in showable({name: name})) or "one of a later file"
            before = list_of({self.names[sql]: self.names[sql] for sql in alike})
            raise SourceError(
                f"{self._setting}: several columns of earlier files could be {later}: {before}.",
                "Give the columns the same names in all files.",
            )
        return alike[0] if alike else None

    def _new(self, name: str, taken: Sequence[str]) -> str:
        used = {sql.lower() for sql in (*self.names, *taken)}
        sql, number = name, 2
        while sql.lower() in used:
            sql, number = f"{name}_{number}", number + 1
        self.names[sql] = name
        return sql
