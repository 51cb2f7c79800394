"""What the cells of a column look like: phone numbers, addresses, birth dates, names, free text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import date

from conversion_platform.marketplace.contact_forms import MAIL, plain
from conversion_platform.marketplace.phones import normalised_phone

_MAIL_IN_TEXT = re.compile(r"[^\s@,;:<>]+@[^\s@,;:<>]+\.\w{2,}")
_PHONE_IN_TEXT = re.compile(r"(?<![\w.,/-])[+(]?\d[\d ().\-/]{5,18}\d(?![\w/-]|[.,]\d)")
_DIGITS = re.compile(r"\d{7,15}")
_PHONE = re.compile(r"\+?[\d\s().\-/]{7,20}(?:\s*(?:x|ext\.?)\s*\d+)?", re.I)
_NO_PHONE = re.compile(r"\d{4}-\d{2}-\d{2}.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|-?\d+\.\d+|\d{7,15}")
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}")
_IBAN = re.compile(r"[A-Z]{2}\d{2} ?[A-Z0-9]{4}[A-Z0-9 ]{6,30}")
_IP = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-f]{1,4}:){3,7}[0-9a-f:]*[0-9a-f]", re.I)
_PAGE = re.compile(r"(?:https?://|www\.)\S+", re.I)
_STREET = re.compile(
    r"\d+\w?\s+(?:\S+\s+){1,5}?(?:st|street|ave|avenue|rd|road|dr|drive|ln|lane|blvd|boulevard|way"
    r"|ct|court|pl|place|pkwy|hwy|highway|terrace|circle|square|apt)\b.*",
    re.I,
)
_PAIR = re.compile(r"[(\[]?-?\d{1,3}\.\d{3,}\s*[,; ]\s*-?\d{1,3}\.\d{3,}[)\]]?")
FINE_NUMBER = re.compile(r"-?\d{1,3}[.,]\d{4,}")
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_SLASHED_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-](\d{4})")
_YEAR = re.compile(r"((?:19|20)\d{2})(?:\.0)?")
_GENDERS = {
    *("male", "female", "man", "woman", "m", "f", "w", "nonbinary", "non-binary", "diverse"),
    *("mr", "mrs", "ms", "miss", "mx", "herr", "frau", "männlich", "weiblich", "divers"),
    *("hombre", "mujer", "masculino", "femenino", "homme", "femme"),
}
_UNKNOWN = {"other", "unknown", "x", "d", "prefer not to say", "not stated", "n", "u"}
_OLDEST, _YOUNGEST, _SPREAD = 100, 14, 5  # years

# What people write for a missing value: signs alone, or one of these. They may be shown.
_SIGNS = re.compile(r"[^\w\s$€£¥]{1,4}|0000-00-00(?: 00:00(?::00)?)?")
_MISSING = re.compile(
    r"\(?(?:blank|empty|missing|n\.?a\.?|nil|no data|none|not (?:applicable|available|given|known|"
    r"provided|specified|stated)|null|tbd|undefined|unknown|unspecified)\)?",
    re.I,
)

_FEW = 0.2  # a share from which a column holds such cells
_SOME, _SOME_CELLS = 0.03, 3  # of contacts: a wrong guess costs a person one line of settings
_MANY_NAMES, _MANY_OF_ALL = 20, 0.1  # different ones from which names are of people
_NESTED = re.compile(r"\s*(?:\{.*\}|\[.*\])\s*", re.S)
_MOST = 0.8
_NEARLY_ALL = 0.9
_ENOUGH = 5  # values below which nothing is said of how they differ


def looks_like_contact(values: Sequence[str], country: str) -> str | None:
    """Return what of a person's contact the cells look like, if they do.

    Args:
        values: Texts of cells, none of which is empty.
        country: Region (two letters) of phone numbers without a country.
    """
    if _some(values, _has_mail):
        return "mail addresses"
    if _some(values, lambda text: _has_phone(text, country)):
        return "phone numbers"
    bare = _share(
        values,
        lambda text: bool(_DIGITS.fullmatch(text)) and normalised_phone(text, country) is not None,
    )
    return "phone numbers" if bare >= _NEARLY_ALL and _differ(values) else None


def looks_like_person(values: Sequence[str], until: date) -> str | None:
    """Return what else of a person the cells look like, if they do.

    Args:
        values: Texts of cells, none of which is empty.
        until: A day of the source's time.
    """
    patterns: dict[str, Callable[[str], object]] = {
        "street addresses": is_street,
        "coordinates": _PAIR.fullmatch,
        "numbers of people": lambda text: _SSN.fullmatch(text) or _IBAN.fullmatch(text),
        "internet addresses": _IP.fullmatch,
        "pages of people": _PAGE.fullmatch,
    }
    for what, matches in patterns.items():
        if _share(values, matches) >= _FEW:
            return what
    if _are_births(values, until):
        return "birth dates"
    if _are_names(values):
        return "names of people"
    if not _differ(values):
        return None
    if _are_coordinates(values):
        return "coordinates"
    return "free text" if _average_words(values) >= _ENOUGH else None


def looks_like_protected(values: Sequence[str]) -> bool:
    """Return whether the cells look like genders, or titles that tell them."""
    words = {text.strip().strip(".").lower() for text in values}
    return len(words & _GENDERS) > 1 and words <= _GENDERS | _UNKNOWN


def are_nested(values: Sequence[str]) -> bool:
    """Return whether some cells hold values of several kinds each, as JSON and structs do."""
    return bool(values) and _some(values, _NESTED.fullmatch)


def _share(values: Sequence[str], matches: Callable[[str], object]) -> float:
    return sum(bool(matches(plain(text).strip())) for text in values) / len(values)


def _some(values: Sequence[str], matches: Callable[[str], object]) -> bool:
    """Return whether a few per cent of the cells match, or most of a few cells."""
    found = sum(bool(matches(plain(text).strip())) for text in values)
    least = min(_SOME_CELLS, max(1, math.ceil(_FEW * len(values))))
    return found >= max(least, _SOME * len(values))


def _differ(values: Sequence[str]) -> bool:
    """Return whether nearly every value is different."""
    return len(values) >= _ENOUGH and len(set(values)) >= _MOST * len(values)


def _is_phone(text: str, country: str) -> bool:
    """Return whether a text is a phone number by its signs, not by its digits alone."""
    if _NO_PHONE.fullmatch(text) or not _PHONE.fullmatch(text):
        return False
    return normalised_phone(text, country) is not None


def _has_mail(text: str) -> bool:
    """Return whether a text is a mail address in some notation, or has one within."""
    return bool(MAIL.fullmatch(text) or _MAIL_IN_TEXT.search(text))


def _has_phone(text: str, country: str) -> bool:
    """Return whether a text is a phone number, or has one within."""
    return _is_phone(text, country) or any(
        _is_phone(found[0].strip(), country) for found in _PHONE_IN_TEXT.finditer(text)
    )


def _year_of(text: str) -> int | None:
    if found := _ISO_DATE.match(text):
        return int(found[1])
    found = _SLASHED_DATE.fullmatch(text) or _YEAR.fullmatch(text)
    return int(found[1]) if found else None


def _are_births(values: Sequence[str], until: date) -> bool:
    years = [_year_of(plain(text).strip()) for text in values]
    ages = [until.year - year for year in years if year is not None]
    likely = [age for age in ages if _YOUNGEST <= age <= _OLDEST]
    if len(values) < _ENOUGH or len(likely) < _NEARLY_ALL * len(values):
        return False
    return max(likely) - min(likely) >= _SPREAD


def is_street(text: str) -> bool:
    """Return whether a text is a street address."""
    return _STREET.fullmatch(text.strip()) is not None


def means_missing(text: str) -> bool:
    """Return whether a text is a sign or a word that people write for a missing value."""
    return bool(_SIGNS.fullmatch(text) or _MISSING.fullmatch(text))


def is_name(text: str) -> bool:
    """Return whether a text is two to four capitalised words, as a person's name is."""
    words = text.replace(",", " ").split()
    return 2 <= len(words) <= 4 and all(_is_capitalised(word) for word in words)


def _is_capitalised(word: str) -> bool:
    letters = word.strip(".").replace("-", "").replace("'", "").replace("\u2019", "")
    return letters.isalpha() and letters[0].isupper()


def _are_names(values: Sequence[str]) -> bool:
    """Return whether the cells look like names of people, who are many: employers are few."""
    if _share(values, is_name) < _MOST:
        return False
    return _differ(values) or (
        len(set(values)) > _MANY_NAMES and len(set(values)) >= _MANY_OF_ALL * len(values)
    )


def _are_coordinates(values: Sequence[str]) -> bool:
    """Return whether the cells are degrees: with many digits, and beyond what scores are."""
    plainly = [plain(text).strip() for text in values]
    fine = [text for text in plainly if FINE_NUMBER.fullmatch(text)]
    if len(fine) < _NEARLY_ALL * len(values):
        return False
    degrees = sorted(abs(float(text.replace(",", "."))) for text in fine)
    return degrees[-1] <= 180 and degrees[len(degrees) // 2] >= 10


def _average_words(values: Sequence[str]) -> float:
    return sum(len(text.split()) for text in values) / len(values)
