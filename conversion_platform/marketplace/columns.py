"""What a further column is: usable, personal or protected, by its name and by its values.

The classification decides what is proposed and what a warning says. It decides no access: a column
that the settings do not list lies in a personal table whatever it is called. Names alone decide
what is protected while a source is loaded, so that the values of one day cannot stop a run. The
words that tell stand in data/names.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import TypeAdapter

from conversion_platform.marketplace.cell_patterns import (
    looks_like_contact,
    looks_like_person,
    looks_like_protected,
)
from conversion_platform.marketplace.lookalikes import readings

Table = Literal["users", "jobs"]
Kind = Literal["usable", "personal", "protected"]


@dataclass(frozen=True)
class Privacy:
    """What a column is, and why; a usable column needs no reason."""

    kind: Kind = "usable"
    why: str | None = None


_USABLE = Privacy()


@dataclass(frozen=True)
class _PersonalParts:
    """What words alone do not tell; `data/names.toml` says what each list is."""

    not_of_jobs: frozenset[str]
    phrases: frozenset[str]
    stems: frozenset[str]
    alone: frozenset[str]
    names: frozenset[str]
    named_things: frozenset[str]


@dataclass(frozen=True)
class _Protected:
    """Which names are protected attributes; `data/names.toml` says what each list is."""

    words: frozenset[str]
    phrases: frozenset[str]
    stems: frozenset[str]
    alone: frozenset[str]
    beside: frozenset[str]
    harmless: frozenset[str]


@dataclass(frozen=True)
class _Names:
    """The lists of `data/names.toml`; the first reason that has a word of a name counts."""

    personal: dict[str, frozenset[str]]
    personal_of_jobs: dict[str, tuple[str, ...]]
    personal_parts: _PersonalParts
    protected: _Protected

    def reasons(self, table: Table) -> dict[str, frozenset[str]]:
        """Return the words of each reason why a column of a table is personal."""
        if table == "users":
            return self.personal
        return {
            reason: frozenset().union(*map(self.personal.__getitem__, counted))
            - self.personal_parts.not_of_jobs
            for reason, counted in self.personal_of_jobs.items()
        }


@cache
def _names() -> _Names:
    text = resources.files(__package__).joinpath("data", "names.toml").read_text(encoding="utf-8")
    return TypeAdapter(_Names).validate_python(tomllib.loads(text))


def by_name(table: Table, name: str) -> Privacy:
    """Return what a column's name says that it is.

    Args:
        table: The table that it is of; only users have protected attributes.
        name: The name in small letters, with `_` between its words. Digits say nothing: `age_2` is
            the second `age` of a header. Letters that look like Latin ones are read as such too.
    """
    read = readings(name)
    if table == "users" and any(map(_is_protected, read)):
        return Privacy("protected", f"its name says {name.replace('_', ' ')}")
    found = (_personal_by_name(table, one) for one in read)
    return next((one for one in found if one.kind != "usable"), _USABLE)


def _personal_by_name(table: Table, name: str) -> Privacy:
    known = _names()
    bare = _bare_words(name)
    words = {*bare, *name.split("_")}
    for what, telling in known.reasons(table).items():
        if not telling.isdisjoint(words):
            return Privacy("personal", f"its name says {what}")
    parts = known.personal_parts
    if any(f"_{phrase}_" in f"_{'_'.join(bare)}_" for phrase in parts.phrases):
        return Privacy("personal", "its name says a person")
    if table == "jobs":
        return _USABLE
    if _is_alone(bare, parts.alone) or any(stem in name for stem in parts.stems):
        return Privacy("personal", "its name says where or who a person is")
    if not parts.names.isdisjoint(words) and parts.named_things.isdisjoint(words):
        return Privacy("personal", "its name says a name")
    return _USABLE


def _is_alone(words: Sequence[str], alone: frozenset[str]) -> bool:
    return len(words) == 1 and words[0] in alone


def _bare_words(name: str) -> list[str]:
    """Return the words of a name without digits, which number columns: none of them is empty."""
    return re.findall(r"[^\W\d_]+", name)


def _is_protected(name: str) -> bool:
    known = _names().protected
    words = [word for word in _bare_words(name) if word not in known.harmless]
    if not known.words.isdisjoint(words):
        return True
    if any(stem in word for word in words for stem in known.stems):
        return True
    joined = f"_{'_'.join(words)}_"
    if any(f"_{one}_" in joined or one.replace("_", "") in words for one in known.phrases):
        return True
    parts = [_parted(word) for word in words]
    told = {part for some in parts for part in some}
    return all(parts) and not known.alone.isdisjoint(told)


@cache
def _parted(word: str) -> tuple[str, ...]:
    """Return the known words that a word was put together from: `agegroup` is `age`, `group`.

    Those of which one is protected come first; the result is empty if it consists of no such words.
    """
    known = _names().protected
    if word in known.alone or word in known.beside:
        return (word,)
    found: tuple[str, ...] = ()
    for place in range(2, len(word) - 1):
        if word[:place] in known.alone or word[:place] in known.beside:
            rest = _parted(word[place:])
            if rest and not known.alone.isdisjoint((word[:place], *rest)):
                return (word[:place], *rest)
            found = found or ((word[:place], *rest) if rest else ())
    return found


def classified(
    table: Table, name: str, values: Sequence[str], until: date, country: str
) -> Privacy:
    """Return what a column is, by its name, else by its values.

    Args:
        table: The table that it is of.
        name: The name in small letters, with `_` between its words.
        values: Texts of some of its cells, none of which is empty; `|` separates items of lists.
        until: A day of the source's time: birth dates lie 14 to 100 years before it.
        country: Region (two letters) of phone numbers without a country.
    """
    told = by_name(table, name)
    if told.kind != "usable" or not values:
        return told
    values = [item for value in values for item in value.split("|") if item.strip()] or values
    if what := looks_like_contact(values, country):
        return Privacy("personal", f"its values look like {what}")
    if table == "jobs":
        return _USABLE
    if looks_like_protected(values):
        return Privacy("protected", "its values look like genders")
    if what := looks_like_person(values, until):
        return Privacy("personal", f"its values look like {what}")
    return _USABLE
