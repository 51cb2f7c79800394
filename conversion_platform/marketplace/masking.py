"""Hides personal data in values that are shown on a screen or in run metadata.

A column of the contract is personal by `Column.personal`. Cells of the others may hold what belongs
into a personal one, as in rows whose cells moved by a column: such a cell is shown only if it reads
as what its own column holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from conversion_platform.marketplace.cell_patterns import (
    FINE_NUMBER,
    is_name,
    is_street,
    means_missing,
)
from conversion_platform.marketplace.contact_forms import plain, without_contacts
from conversion_platform.marketplace.contract import USERS, Contract, Kind
from conversion_platform.marketplace.moved_cells import is_amount, is_zone

PERSONAL = "(personal)"
NOT_SHOWN = "(not shown)"
_POSTAL_CODE = re.compile(r"\d{5,}")
_MOST = 60

_MONTH = (
    r"(?:jan(?:uar[iy]?|vier|eiro)?|feb(?:ruar[iy]?|braio|rero)?|m[aä]r(?:ch|z|s|t|zo|ço)?"
    r"|apr(?:ile?)?|ma[iy]o?|jun(?:[ei]|io|ho)?|jul(?:[iy]|io|ho)?|aug(?:ust(?:us|i)?)?"
    r"|sep(?:t(?:ember|embre|iembre)?)?|o[ck]t(?:ober|obre|ubre)?|nov(?:ember|i?embre|embro)?"
    r"|de[cz](?:ember|i?embre|embro)?)\.?"
)
_WEEKDAY = (
    r"(?:(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)\.?,?\s+)?"
)
_DATE = (
    r"(?P<date>\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|\d{8}"
    rf"|\d{{1,2}}\.?[-/ ]{_MONTH}(?:[-/, ]+\d{{2,4}})?|{_MONTH}[-/ ]\d{{1,2}}(?:st|nd|rd|th)?"
    r"(?:,?[-/ ]\d{2,4})?|\d{4}[-/]\d{1,2})"
)
_CLOCK = r"\d{1,2}(?:[:.h]\d{2}){0,2}(?:[.,]\d{1,9})?h?\s*(?:[ap]\.?m\.?)?"
_ZONE = r"(?:Z|[A-Z]{2,5}|(?:UTC|GMT)?\s?[+-]\d{1,2}(?::?\d{2})?|[A-Z][\w+-]*(?:/[\w+-]+)+)"
_TIME = re.compile(
    rf"{_WEEKDAY}{_DATE}(?:[T,\s]+(?:at\s)?{_CLOCK})?(?:\s?\(?(?P<zone>{_ZONE})\)?)?", re.I
)
_EPOCH = re.compile(r"1\d{9}|1\d{12}|1\d{15}")
# Dates as no column of times has them, in cells that moved into a column of numbers or texts.
_MONTH_ALONE = (
    r"(?:jan(?:uary?)?|feb(?:ruary?)?|mar(?:ch)?|m[aä]rz|apr(?:il)?|ma[iy]|jun[ei]?|jul[yi]?"
    r"|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)\.?"
)
_MOVED_DATE = re.compile(
    r"\d{1,2}\s?[-/.,_ ]\s?\d{1,2}\s?[-/.,_ ]\s?(?:\d{4}|\d{2})"
    r"|\d{4}\s?[-/.,_ ]\s?\d{1,2}\s?[-/.,_ ]\s?\d{1,2}"
    r"|(?:\d{1,2}[-/.,_ ])?(?:19\d\d|200\d)(?:[-/.,_ ]\d{1,2})?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?[-/., ]*(?:of )?{_MONTH_ALONE}[-/., ]*(?:\d{{4}}|\d{{2}})?"
    rf"|{_MONTH_ALONE}[-/., ]*(?:\d{{1,2}}(?:st|nd|rd|th)?[-/., ]+)?(?:\d{{4}}|\d{{2}})",
    re.I,
)
_FIRST_YEAR = 2010  # who was born from then on is no user yet
_FIRST_EPOCH = 1262304000  # seconds; 2010-01-01
# Where the year, the month and the day stand in eight digits.
_IN_EIGHT = ((0, 4, 6), (0, 6, 4), (4, 0, 2), (4, 2, 0))

# Two capitalised words, as a person's name has, and no name.
STATES_LIKE_NAMES = frozenset(
    {
        "American Samoa", "New Hampshire", "New Jersey", "New Mexico", "New York", "North Carolina",
        "North Dakota", "Northern Mariana Islands", "Puerto Rico", "Rhode Island", "South Carolina",
        "South Dakota", "Virgin Islands", "West Virginia",
    }
)  # fmt: skip


def masked(contract: Contract, column: str | None, text: str | None) -> str | None:
    """Return what may be shown of a cell that cannot be read, or of a broken line's fault.

    Args:
        contract: The contract of the source.
        column: The contract column of the cell.
        text: What it says.
    """
    if text is None:
        return None
    like = plain(text)
    shown = _shown(contract, column, like)
    return _short(text if shown == like else shown)


def _shown(contract: Contract, column: str | None, text: str) -> str:
    """Return what may be shown of a cell, given as `plain` writes it."""
    if column is None:
        return without_contacts(text)
    if any(one.personal for one in contract.columns if one.name == column):
        return PERSONAL
    if means_missing(text):
        return text
    kind = next((one.kind for one in contract.fields if one.name == column), None)
    if kind is None:
        return NOT_SHOWN
    if _is_of_people(contract):
        return _shown_of_people(kind, text)
    if kind in ("time", "far_time") and _is_time(text):
        return text
    return without_contacts(text)


def masked_user_cell(column: str, text: str) -> str:
    """Return what may be shown of a cell of users, like `masked`."""
    return masked(USERS, column, text) or ""


def _shown_of_people(kind: Kind, text: str) -> str:
    """Return what may be shown of a cell in a row about a user: any cell may be a birth date."""
    if not _FITS[kind](text):
        return NOT_SHOWN
    stripped = text.strip()
    if kind in ("time", "far_time"):
        return text if _is_recent(stripped) else _form(text)
    if _may_be_birth(kind, stripped):
        return _form(text)
    return without_contacts(text)


def _is_of_people(contract: Contract) -> bool:
    """Return whether the rows are about users: those of jobs have no personal column to move."""
    return any(field.name == "user_id" for field in contract.fields)


def _short(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[: _MOST - 3]}..."


def _form(text: str) -> str:
    """Return how a date is written, without what it says: 05/12/02 is dd/dd/dd."""
    return re.sub(r"\d", "d", re.sub(rf"(?<![a-z]){_MONTH}", "month", text, flags=re.I))


def _is_time(text: str) -> bool:
    """Return whether a text is written as a time is: a word behind it has to be a zone."""
    text = text.strip()
    if _EPOCH.fullmatch(text):
        return True
    found = _TIME.fullmatch(text)
    return found is not None and (found["zone"] is None or is_zone(found["zone"]))


def _is_recent(text: str) -> bool:
    """Return whether a time says a year in which no user was born, and can mean no other year."""
    if _EPOCH.fullmatch(text):
        return int(text[:10]) >= _FIRST_EPOCH
    found = _TIME.fullmatch(text)
    if found is None:
        return False
    said = found["date"]
    if re.fullmatch(r"\d{8}", said):
        years = _years_of_eight(said)
    else:
        years = [int(year) for year in re.findall(r"(?<!\d)\d{4}(?!\d)", said)]
    return bool(years) and min(years) >= _FIRST_YEAR


def _years_of_eight(digits: str) -> list[int]:
    """Return the years that eight digits may say: 20101985 is of 1985, and of no month in 2010."""
    read = [
        (int(digits[year : year + 4]), int(digits[month : month + 2]), int(digits[day : day + 2]))
        for year, month, day in _IN_EIGHT
    ]
    return [
        year
        for year, month, day in read
        if 1900 <= year < 2100 and 1 <= month <= 12 and 1 <= day <= 31
    ]


def _may_be_birth(kind: Kind, text: str) -> bool:
    """Return whether a cell that is no time may be a birth date, or a year of birth, all the same.

    Ids are shown, but where they are written as dates are.
    """
    if re.fullmatch(r"\d{8}", text):
        return any(year < _FIRST_YEAR for year in _years_of_eight(text))
    if kind == "id" and text.isdigit():
        return False
    return _MOVED_DATE.fullmatch(text) is not None


def _is_amount(text: str) -> bool:
    """Return whether a text is an amount; a number with many digits may be a coordinate."""
    return is_amount(text) and not FINE_NUMBER.search(text)


def _is_label(text: str) -> bool:
    """Return whether a text is short of what tells a person: a name, a place, a postal code."""
    if text.strip() in STATES_LIKE_NAMES:
        return True
    return not (is_name(text) or is_street(text) or _POSTAL_CODE.search(text))


def _is_id(text: str) -> bool:
    return not (is_name(text) or is_street(text))


_FITS: dict[Kind, Callable[[str], bool]] = {
    "id": _is_id,
    "text": _is_label,
    "words": _is_label,
    "zone": is_zone,
    "number": _is_amount,
    "integer": _is_amount,
    "time": _is_time,
    "far_time": _is_time,
}
