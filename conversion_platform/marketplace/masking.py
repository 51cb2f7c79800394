"""Hides personal data in values that are shown on a screen or in run metadata.

A column of the contract is personal by `Column.personal`. Cells of the others may hold what belongs
into a personal one, as in rows whose cells moved by a column: such a cell is shown only if it reads
as what its own column holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from conversion_platform.marketplace.cell_patterns import is_name, is_street, means_missing
from conversion_platform.marketplace.contract import Contract, Kind

PERSONAL = "(personal)"
NOT_SHOWN = "(not shown)"
_LONG_NUMBER = re.compile(r"\+?\d(?:[ ().-]*\d){6,}")
_POSTAL_CODE = re.compile(r"\d{5,}")
_FINE_NUMBER = re.compile(r"-?\d{1,3}[.,]\d{4,}")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+")
_MOST = 60

_MONTH = r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])\w{0,6}\.?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)\w{0,6}\.?,?\s+)?"
_DATE = (
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|\d{8}"
    rf"|\d{{1,2}}\.?[-/ ]{_MONTH}(?:[-/, ]+\d{{2,4}})?|{_MONTH}[-/ ]\d{{1,2}}(?:st|nd|rd|th)?"
    r"(?:,?[-/ ]\d{2,4})?|\d{4}[-/]\d{1,2})"
)
_CLOCK = r"\d{1,2}(?:[:.h]\d{2}){0,2}(?:[.,]\d{1,9})?h?\s*(?:[ap]\.?m\.?)?"
_ZONE = r"(?:Z|[A-Z]{2,5}|(?:UTC|GMT)?\s?[+-]\d{1,2}(?::?\d{2})?|[A-Z][\w+-]*(?:/[\w+-]+)+)"
_TIME = re.compile(rf"{_WEEKDAY}{_DATE}(?:[T,\s]+(?:at\s)?{_CLOCK})?(?:\s?\(?{_ZONE}\)?)?", re.I)
_EPOCH = re.compile(r"1\d{9}|1\d{12}|1\d{15}")
_BIRTH_YEAR = re.compile(
    r"(?<!\d)(?:19\d\d|200\d)(?!\d)|^\d{1,2}[-/.]\d{1,2}[-/.][3-9]\d(?!\d)|^(?:19\d\d|200\d)\d{4}$"
    rf"|{_MONTH}[-/, ]+(?:\d{{1,2}},\s)?[3-9]\d$",
    re.I,
)
_ZONE_ALONE = re.compile(
    rf"{_ZONE}|[A-Z]+\d[A-Z]+|(?:(?:US|U\.S\.|Eastern|Central|Mountain|Pacific|Atlantic|Alaska|"
    r"Hawaii|Standard|Daylight|Summer|Local|European)\s?)+(?:Time)?(?:\s\([\w\s&]*\))?"
)
_AMOUNT = re.compile(
    r"[^\w\s]{0,3}(?:[A-Z]{1,3})?\s?[^\w\s]{0,3}\s?\d[\d.,'\u2019_\s]{0,11}(?:\s?(?:-|\u2013|to)\s?"
    r"[^\w\s]{0,3}\d[\d.,]{0,9})?\s?[^\w\s]{0,3}\s?(?:[a-zA-Z]{1,6}\.?[\s/]*){0,3}[^\w\s]{0,3}"
)


def masked(contract: Contract, column: str | None, text: str | None) -> str | None:
    """Return what may be shown of a cell that cannot be read, or of a broken line's fault.

    Args:
        contract: The contract of the source.
        column: The contract column of the cell.
        text: What it says.
    """
    if text is None or column is None:
        return _cut(text) if text else text
    if any(one.personal for one in contract.columns if one.name == column):
        return PERSONAL
    if means_missing(text):
        return text
    kind = next((one.kind for one in contract.fields if one.name == column), None)
    if kind is None or (_is_of_people(contract) and not _FITS[kind](text)):
        return NOT_SHOWN
    if kind in ("time", "far_time") and (_TIME.fullmatch(text.strip()) or _EPOCH.fullmatch(text)):
        return text[:_MOST]
    return _cut(text)


def _is_of_people(contract: Contract) -> bool:
    """Return whether the rows are about users: those of jobs have no personal column to move."""
    return any(field.name == "user_id" for field in contract.fields)


def _cut(text: str) -> str:
    """Return a text without phone numbers and mail addresses, and not too long."""
    hidden = _LONG_NUMBER.sub(lambda found: f"...{found.group()[-2:]}", text)
    hidden = _MAIL.sub("(address)", hidden)
    return hidden if len(hidden) <= _MOST else f"{hidden[: _MOST - 3]}..."


def _is_time(text: str) -> bool:
    """Return whether a text reads as a time, of a year in which no user was born."""
    text = text.strip()
    if _EPOCH.fullmatch(text):
        return True
    return _TIME.fullmatch(text) is not None and not _BIRTH_YEAR.search(text)


def _is_zone(text: str) -> bool:
    return _ZONE_ALONE.fullmatch(text.strip()) is not None


def _is_amount(text: str) -> bool:
    text = text.strip()
    words = re.sub(r"[^\w\s]|\d", "", text)
    return (
        _AMOUNT.fullmatch(text) is not None
        and not _FINE_NUMBER.search(text)
        and not is_street(text)
        and not is_name(words)
    )


def _is_label(text: str) -> bool:
    """Return whether a text is short of what tells a person: a name, a place, a postal code."""
    return not (is_name(text) or is_street(text) or _POSTAL_CODE.search(text))


def _is_id(text: str) -> bool:
    return not (is_name(text) or is_street(text))


_FITS: dict[Kind, Callable[[str], bool]] = {
    "id": _is_id,
    "text": _is_label,
    "words": _is_label,
    "zone": _is_zone,
    "number": _is_amount,
    "integer": _is_amount,
    "time": _is_time,
    "far_time": _is_time,
}
