"""Numbers in texts: decimal mark, groups of digits, currency and unit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from conversion_platform_tests.marketplace.reference.settings import How

PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
CURRENCIES = {
    **{"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "¥": "JPY"},
    **{"C$": "CAD", "A$": "AUD", "NZ$": "NZD"},
    **{code: code for code in ("USD", "EUR", "GBP", "CAD", "AUD", "CHF", "INR", "JPY")},
}
UNITS = {
    "hour": ("h", "hr", "hrs", "hour", "hours", "hourly"),
    "day": ("d", "day", "days", "daily"),
    "week": ("w", "wk", "wks", "week", "weeks", "weekly"),
    "month": ("mo", "mon", "month", "months", "monthly"),
    "year": ("y", "yr", "yrs", "year", "years", "yearly", "annum", "annually", "pa"),
}
MULTIPLIERS = ("k", "m", "mm", "mio", "mn", "b", "bn", "t", "tsd")
GROUPS = " '\u2019\u00a0\u202f"


@dataclass(frozen=True)
class Measures:
    """The currency and the unit that most cells of a column name; empty if none does."""

    currency: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Parts:
    """A number that is not a plain one: sign, digits, and what is named around them."""

    sign: str
    digits: str
    currency: str
    unit: str


def number(text: str, how: How, measures: Measures) -> float | None:
    """Return the number that a text is; None if it is none."""
    if re.fullmatch(r"-?[0-9]+", text):
        return float(text)
    if PLAIN.fullmatch(text) and (how.decimal == "." or "." not in text):
        return float(text)
    parts = _parts(text)
    if parts is None or parts.unit in MULTIPLIERS:
        return None
    if parts.currency not in ("", measures.currency) or parts.unit not in ("", measures.unit):
        return None
    digits = _ungrouped(parts.digits, how)
    return None if digits is None else float(parts.sign + digits)


def measures_of(texts: Iterable[str | None]) -> Measures:
    """Return the currency and the unit that most cells of a column that name one name.

    Of several that equally many name it is the first by the alphabet. A unit that fewer than a
    tenth of the numbers name is not that of the column.
    """
    given = [text for text in texts if text]
    plain = sum(1 for text in given if PLAIN.fullmatch(text))
    parts = [_parts(text) for text in given if not PLAIN.fullmatch(text)]
    known = [one for one in parts if one is not None]
    units = [one.unit for one in known if one.unit not in MULTIPLIERS]
    unit = _most(units)
    if 10 * units.count(unit) < plain + len(known):
        unit = ""
    return Measures(_most([one.currency for one in known]), unit)


def _most(names: list[str]) -> str:
    counts = Counter(name for name in names if name)
    return min(counts, key=lambda name: (-counts[name], name), default="")


def _parts(text: str) -> Parts | None:
    """Return the parts of a number such as `$ 1,200.50 per hour`, `-12 km`, `1 200 EUR/day`."""
    currency = "|".join(re.escape(one) for one in sorted(CURRENCIES, key=len, reverse=True))
    found = re.fullmatch(
        rf"(?P<sign>[+-]?)\s*(?P<before>{currency})?\s*(?P<inner>[+-]?)"
        rf"(?P<digits>[0-9.,](?:[0-9.,{GROUPS}]|\s)*)"
        rf"(?P<behind>{currency})?\s*(?:/\s*|(?:per|an?)\s+)?(?P<unit>(?:[^\W\d_]|[%°])*)\.?",
        text,
    )
    if found is None or (found["sign"] and found["inner"]):
        return None
    if found["before"] and found["behind"]:
        return None
    named = CURRENCIES.get(found["before"] or found["behind"] or "", "")
    sign = found["sign"] + found["inner"]
    return Parts(sign, found["digits"].strip(GROUPS + "\t\n"), named, _unit(found["unit"].lower()))


def _unit(word: str) -> str:
    for unit, words in UNITS.items():
        if word in words:
            return unit
    return word[:-1] if len(word) > 1 and word.endswith("s") else word


def _ungrouped(digits: str, how: How) -> str | None:
    """Return digits without what groups them by three, and with a decimal point."""
    groups = (how.thousands or ("." if how.decimal == "," else ",")) + GROUPS
    whole, mark, fraction = digits.partition(how.decimal)
    if mark and not (fraction.isascii() and fraction.isdigit()):
        return None
    parts = re.split(f"[{re.escape(groups)}]", whole)
    if not all(part.isascii() and part.isdigit() for part in parts):
        return None
    if len(parts) > 1 and (len(parts[0]) > 3 or any(len(part) != 3 for part in parts[1:])):
        return None
    return "".join(parts) + ("." + fraction if mark else "")
