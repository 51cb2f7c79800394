"""What a further column is: usable, personal or protected, by its name and by its values.

The classification decides what is proposed and what a warning says. It decides no access: a column
that the settings do not list lies in a personal table whatever it is called. Names alone decide
what is protected while a source is loaded, so that the values of one day cannot stop a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from conversion_platform.marketplace.cell_patterns import (
    looks_like_contact,
    looks_like_person,
    looks_like_protected,
)

Table = Literal["users", "jobs"]
Kind = Literal["usable", "personal", "protected"]


@dataclass(frozen=True)
class Privacy:
    """What a column is, and why; a usable column needs no reason."""

    kind: Kind = "usable"
    why: str | None = None


_USABLE = Privacy()

_PHONE = {"phone", "phones", "mobile", "cell", "cellphone", "telephone", "tel", "fax"} | {
    "msisdn",
    "whatsapp",
}
_MAIL = {"email", "emails", "mail"}
_CONTACT = {"contact", "contacts", "kin", "emergency", "guardian", "spouse", "reference"}
_NAME = {"firstname", "lastname", "fullname", "surname", "forename", "nickname", "maiden"} | {
    "username",
    "signature",
    "initials",
}
_PLACE = {"address", "addr", "street", "apartment", "apt", "zip", "zipcode", "postcode"} | {
    "postal",
    "lat",
    "latitude",
    "lon",
    "lng",
    "longitude",
    "gps",
    "geo",
    "coordinates",
}
_BIRTH = {"birth", "birthday", "birthdate", "birthplace", "dob", "yob", "born", "geburt"}
_NUMBERS = {"ssn", "itin", "passport", "iban", "bic", "bank", "routing", "ip", "imei", "mac"} | {
    *("cookie", "taxid", "tax", "steuer", "last4", "aadhaar", "bsn", "cpf", "curp", "dni"),
    *("nie", "nif", "nino", "pesel", "rfc", "sin"),
}
_PAGES = {"url", "link", "linkedin", "facebook", "twitter", "instagram", "website", "homepage"} | {
    "photo",
    "avatar",
    "picture",
    "selfie",
}
_WORDS = {"note", "notes", "comment", "comments", "remark", "remarks", "bio", "resume", "cv"} | {
    "about",
    "letter",
}
_PEOPLE_OF_JOBS = {"recruiter", "manager", "supervisor", "interviewer", "foreman", "referrer"}
_REASONS: dict[str, set[str]] = {
    "a phone number": _PHONE,
    "a mail address": _MAIL,
    "a contact": _CONTACT,
    "a name": _NAME,
    "a place": _PLACE,
    "a birth date": _BIRTH,
    "a number that tells who one is": _NUMBERS,
    "a page or picture of a person": _PAGES,
    "free text": _WORDS,
    "a person": _PEOPLE_OF_JOBS,
}
_REASONS_OF_JOBS: dict[str, set[str]] = {
    "a phone number": _PHONE,
    "a mail address": _MAIL,
    "a contact": _CONTACT - {"reference"},
    "a person": _PEOPLE_OF_JOBS | _NAME,
}
# Parts of names that were written without a separator: phonenumber, dateofbirth.
_STEMS = ("phone", "mobile", "email", "birth", "address", "firstname", "lastname", "surname")
# What has a name and is no person.
_NAMED_THINGS = {
    *("agency", "brand", "branch", "campaign", "category", "city", "company", "country", "course"),
    *("department", "employer", "event", "file", "job", "language", "metro", "office", "plan"),
    *("position", "product", "program", "region", "role", "school", "shift", "site", "skill"),
    *("source", "state", "store", "team", "title", "university", "warehouse"),
}
_PROTECTED = {
    *("caste", "citizen", "citizenship", "creed", "disabilities", "disability", "disabled"),
    *("ethnic", "ethnicity", "gender", "genders", "genetic", "handicap", "hispanic"),
    *("immigration", "latino", "lgbt", "lgbtq", "marital", "married", "maternity"),
    *("nationality", "pregnancy", "pregnant", "pronoun", "pronouns", "religion", "religious"),
    *("sexual", "sexuality", "transgender", "veteran", "veterans"),
    *(
        "anrede",
        "church",
        "geschlecht",
        "hijab",
        "konfession",
        "nacionalidad",
        "salutation",
    ),
    *("sexo", "sexe", "tongue", "wheelchair"),
}
# Protected where nothing else of the name says what it is: age and age_group, but not account_age.
_PROTECTED_ALONE = {
    "age",
    "alter",
    "edad",
    "ancestry",
    "children",
    "color",
    "faith",
    "orientation",
    "origin",
    "race",
    "sex",
} | {
    "union",
}
_BESIDE = {
    *("applicant", "at", "band", "birth", "bracket", "candidate", "category", "class", "code"),
    *("country",),
    *("declared", "employee", "flag", "group", "has", "identified", "in", "is", "legal"),
    *("member", "membership", "of", "person", "range", "reported", "self", "status", "the"),
    *("type", "user", "worker", "year", "years"),
}


def by_name(table: Table, name: str) -> Privacy:
    """Return what a column's name says that it is.

    Args:
        table: The table that it is of; only users have protected attributes.
        name: The name in small letters, with `_` between its words.
    """
    words = [word.rstrip("0123456789") for word in name.split("_") if word]
    if table == "users" and _is_protected(set(words)):
        return Privacy("protected", f"its name says {name.replace('_', ' ')}")
    reasons = _REASONS if table == "users" else _REASONS_OF_JOBS
    for what, known in reasons.items():
        if known.intersection(words):
            return Privacy("personal", f"its name says {what}")
    if table == "users" and (words == ["home"] or any(stem in name for stem in _STEMS)):
        return Privacy("personal", "its name says where or who a person is")
    if table == "users" and "name" in words and not _NAMED_THINGS.intersection(words):
        return Privacy("personal", "its name says a name")
    return _USABLE


def _is_protected(words: set[str]) -> bool:
    if words & _PROTECTED:
        return True
    return bool(words & _PROTECTED_ALONE) and words <= _PROTECTED_ALONE | _BESIDE


def classified(
    table: Table, name: str, values: Sequence[str], until: date, country: str
) -> Privacy:
    """Return what a column is, by its name, else by its values.

    Args:
        table: The table that it is of.
        name: The name in small letters, with `_` between its words.
        values: Texts of some of its cells, none of which is empty.
        until: A day of the source's time: birth dates lie 14 to 100 years before it.
        country: Region (two letters) of phone numbers without a country.
    """
    told = by_name(table, name)
    if told.kind != "usable" or not values:
        return told
    if what := looks_like_contact(values, country):
        return Privacy("personal", f"its values look like {what}")
    if table == "jobs":
        return _USABLE
    if looks_like_protected(values):
        return Privacy("protected", "its values look like genders")
    if what := looks_like_person(values, until):
        return Privacy("personal", f"its values look like {what}")
    return _USABLE
