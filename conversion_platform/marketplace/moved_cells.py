"""Whether a cell that cannot be read is a time zone or an amount all the same, or moved there.

A name, an address or an age that moved into such a column must not be shown: every word has to be
one that zones or amounts have.
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from zoneinfo import available_timezones

_ALIKE = 0.9  # how alike a text is to the zone that it may mean: America/Chicgo
_SHORT = frozenset(
    {"Z", "UTC", "UCT", "GMT", "WET", "WEST", "CET", "CEST", "EET", "EEST", "MEZ", "MESZ", "MSK"}
    | {"ET", "EST", "EDT", "CT", "CST", "CDT", "MT", "MST", "MDT", "PT", "PST", "PDT", "AKST"}
    | {"AKDT", "HST", "HDT", "AST", "ADT", "NST", "NDT", "BST", "IST", "PKT", "SGT", "HKT", "JST"}
    | {"KST", "AWST", "ACST", "ACDT", "AEST", "AEDT", "NZST", "NZDT", "SAST", "CAT", "EAT", "WAT"}
    | {"EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "BRT", "ART", "CLT"}
)
_OFFSET = re.compile(r"(?:UTC|GMT)?\s?[+-]\d{1,2}(?::?\d{2})?", re.I)
_ZONE_WORDS = re.compile(
    r"(?:(?:US|U\.S\.|Eastern|Central|Mountain|Pacific|Atlantic|Alaska|Hawaii|Standard|Daylight"
    r"|Summer|Local|European|Time)\s?)+(?:\((?:(?:US|U\.S\.|USA|Canada|Mexico|and|&)\s?)+\))?"
)

_CURRENCY = (
    r"(?:(?:US|C|A|NZ)?[$€£¥₹]|USD|EUR|GBP|CAD|AUD|NZD|CHF|SEK|NOK|DKK|PLN|INR|JPY|MXN|BRL|ZAR"
    r"|dollars?|euros?)"
)
_NUMBER = r"[-+~<>=(]{0,3}\s?\d[\d.,'\u2019_\s]{0,11}\+?"
_UNIT = (
    r"(?:h|hrs?|hours?|d|days?|w|wks?|weeks?|mon?|months?|y|yrs?|years?|annum|pa"
    r"|hourly|daily|weekly|monthly|yearly|annually)"
)
_ALONE = r"(?:hourly|daily|weekly|monthly|yearly|annually)"
_MULTIPLIER = r"(?:k|mm?|mio|mn|bn?|t|tsd)"
_PER = r"(?:\s?/\s?|\s(?:per|an?)\s)"
_END = r"[-+)%.,]{0,3}"
# Without a currency a unit has to say that it is one: 42 years are an age.
_BARE = re.compile(
    rf"{_NUMBER}(?:\s?(?:-|to)\s?{_NUMBER})?(?:k|mio|mn|tsd)?(?:{_PER}{_UNIT}|\s?{_ALONE})?{_END}",
    re.I,
)
_PRICED = re.compile(
    rf"{_END}{_CURRENCY}?\s?{_NUMBER}\s?{_MULTIPLIER}?\s?{_CURRENCY}?"
    rf"(?:\s?(?:-|to)\s?{_CURRENCY}?\s?{_NUMBER}\s?{_MULTIPLIER}?\s?{_CURRENCY}?)?"
    rf"(?:(?:{_PER}|\s?){_UNIT})?{_END}",
    re.I,
)
_PRICE = re.compile(_CURRENCY, re.I)


def is_zone(text: str) -> bool:
    """Return whether a text is a zone, or nearly the name of one: every word of it is known.

    Those of a name alone (Israel, Jamaica) are first names of people too.
    """
    text = text.strip()
    if text.upper() in _SHORT or _OFFSET.fullmatch(text) or _ZONE_WORDS.fullmatch(text):
        return True
    name = re.sub(r"\s", "_", text.casefold())
    if "/" not in name or len(name) > max(map(len, _named_zones())):
        return False
    return bool(difflib.get_close_matches(name, _named_zones(), n=1, cutoff=_ALIKE))


@cache
def _named_zones() -> tuple[str, ...]:
    return tuple(sorted(name.casefold() for name in available_timezones() if "/" in name))


def is_amount(text: str) -> bool:
    """Return whether a text is digits, with a currency and a unit around them, if with a word.

    Digits alone are read as a number: such a cell is only shown where its value is out of range.
    """
    text = text.strip()
    if _BARE.fullmatch(text):
        return True
    return _PRICE.search(text) is not None and _PRICED.fullmatch(text) is not None
