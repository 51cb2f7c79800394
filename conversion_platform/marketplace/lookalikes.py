"""Letters of other scripts that look like Latin ones: what a reader takes a name for."""

# ruff: noqa: RUF001 (this is about letters that are alike)

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

# What small letters look like, by their Latin letter.
_SMALL = {
    **{
        "a": "аαɑ",
        "c": "сϲ",
        "d": "ԁ",
        "e": "еεҽ",
        "g": "ɡց",
        "h": "һнհ",
        "i": "іιıɩɪ",
        "j": "јϳյ",
    },
    **{"k": "кκ", "m": "м", "n": "ηո", "o": "оοօ", "p": "рρ", "q": "ԛզ", "r": "г", "s": "ѕ"},
    **{"t": "тτ", "u": "μυս", "v": "νѵ", "w": "ԝω", "x": "хχ", "y": "уγү", "b": "вβ", "z": "ζ"},
}
# What else their capitals look like: a name is in small letters here.
_CAPITAL = {"h": "η", "m": "μ", "n": "ν", "y": "υ"}
# They are letters to Unicode, and nothing to a reader.
_BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u3164\uffa0")


def _table(looks: Mapping[str, str]) -> dict[int, str]:
    return {ord(one): letter for letter, alike in looks.items() for one in alike}


_AS_SMALL = _table(_SMALL)
_AS_CAPITAL = _AS_SMALL | _table(_CAPITAL)


@cache
def readings(name: str) -> tuple[str, ...]:
    """Return a name, and what a reader may take it for whose letters are of other scripts.

    A word is read as a Latin one if each of its letters is Latin or looks so: `пол` is none, as no
    Latin letter looks like `л`.

    Args:
        name: A name in small letters, with `_` between its words.
    """
    if name.isascii():
        return (name,)
    words = name.split("_")
    read = ("_".join(_latin(word, table) for word in words) for table in (_AS_SMALL, _AS_CAPITAL))
    return tuple(dict.fromkeys((name, *read)))


def _latin(word: str, table: Mapping[int, str]) -> str:
    """Return a word in Latin letters; the word itself if it has a letter that looks like none."""
    letters = unicodedata.normalize("NFKD", word)
    seen = "".join(
        one for one in letters if one not in _BLANK and unicodedata.category(one)[0] != "M"
    )
    latin = seen.translate(table)
    return latin if latin.isascii() else word
