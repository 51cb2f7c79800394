"""Texts and typed values of cells: what exports write, right and wrong."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from conversion_platform_tests.marketplace.reference import How

ZONES = ("America/Chicago", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
WORDS = (
    *("green", "Zoë", "naïve café", "a,b", "x;y", "p|q", "tab\there", 'say "hi"', '5" pipe', "é"),
    *("a\u2028b", "x\x0by", "n\x85l", "\x1c"),
    *("two\nlines", "O'Hara", "50% off #1", "north  west", "=SUM(A1)", "ÅÄÖ", "null and void"),
)
MISSING = ("", "", " ", "NA", "NULL", r"\N", "nan", "-", "unknown", "\u00a0", "\ufeff", "#N/A")
EDGES = tuple(
    datetime.fromisoformat(text)
    for text in (
        *("2026-03-08T02:30:00", "2026-03-08T01:59:59", "2026-03-08T03:00:00"),
        *("2025-11-02T01:30:00", "2025-11-02T01:00:00", "2025-11-02T02:00:00"),
        *("2026-03-29T01:30:00", "2025-10-26T01:30:00", "2025-10-26T02:00:00"),
        *("2026-04-05T01:45:00", "2025-10-05T02:15:00", "2024-02-29T23:59:59"),
    )
)
BAD_TIMES = (
    *("3 May", "yesterday", "2026-02-30", "2026-01-05 25:00:00", "1767225600", "0000-00-00"),
    *("1850-01-01T00:00:00Z", "2300-06-01T00:00:00Z", "9999-12-31", "infinity", "2026-01-05 10"),
    *("2026-01-05 10:00:00 EST", "2026-01-05T10:00:00 BST", "2026-01-05 10:00:00 Mars/Base"),
    *("2026-01-05 10:00:00+15:00", "2026-01-05 10:00 PM", "2026-01-05 10:00 later", "13:00"),
    *("2026-01-05 10:00:00 x", "2026-01-05x", "2026-01-05T10:00:00ZZ", "26-01-05", "12/31/1999"),
)
SUFFIXES = (
    *("", "", "Z", "Z", " UTC", " GMT", "+00", "-05:00", "+0530", " +02:00", " America/New_York"),
    *(" Europe/London", "z", "-14:00"),
)
FORMATS: tuple[tuple[str, ...], ...] = (
    ("%m/%d/%Y %I:%M %p",),
    ("%m/%d/%Y %I:%M%p",),
    ("%d.%m.%Y %H:%M",),
    ("%d/%m/%Y", "%d/%m/%Y %H:%M:%S"),
    ("%Y-%m-%d %I:%M %p",),
    ("%Y/%d/%m %H:%M",),
    ("%Y-%d-%m %H:%M",),
    ("%b %d, %Y %H:%M",),
)
BAD_NUMBERS = (
    *("16k", "abc", "1_8", "$900/week", "1,5", "1.5.5", "NaN", "inf", "-inf", "1e400", "-5", "+5"),
    *(
        "3.5e38",
        "95.5",
        "-200",
        "12 km",
        "3 May",
        "$",
        "--5",
        "1 2",
        "0x10",
        "1e5",
        "5.",
        ".5",
        "+.5",
    ),
    *("1,20,000", "٣", "1/2", "16%", "USD", "$ 16 per hour", "16 usd", "-$5", "$-5", "(5)"),
)


def time_text(rng: random.Random, how: How, moment: datetime) -> str:
    """Return a clock reading as text, in one of the ways of a source."""
    if rng.random() < 0.06:
        return rng.choice(BAD_TIMES)
    suffix = rng.choice(SUFFIXES)
    if how.date_format and rng.random() < 0.6:
        text = moment.strftime(rng.choice(how.date_format))
        if rng.random() < 0.2:
            text = text.replace("/0", "/").removeprefix("0")
        return text + suffix if ":" in text and suffix not in ("Z", "z", "+00") else text
    form = rng.choice(
        (
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%d %H:%M:%S",
            "%Y-%m-%d %H:%M",
            "%Y/%m/%d %H:%M:%S",
            "%Y-%m-%d",
        )
    )
    text = moment.strftime(form)
    if "S" in form and rng.random() < 0.3:
        text += rng.choice((".5", ".123", ".123456", ".000", ".1234567"))
    return text + (suffix if ":" in text else "")


def moments(rng: random.Random, table: str) -> datetime:
    """Return a clock reading: of events about the days of the run, of others any."""
    if table == "events":
        day = date(2026, 3, 1) if rng.random() < 0.95 else date(2025, 10, 25)
        return datetime.combine(day, time()) + timedelta(seconds=rng.randrange(14 * 86400))
    if rng.random() < 0.3:
        return rng.choice(EDGES)
    return datetime.combine(date(2024, 6, 1), time()) + timedelta(
        seconds=rng.randrange(700 * 86400)
    )


def number_text(rng: random.Random, how: How, whole: bool) -> str:
    """Return a number as text, in one of the ways of a source."""
    if rng.random() < 0.12:
        return rng.choice(BAD_NUMBERS)
    value = rng.choice((rng.randrange(80), rng.randrange(3000), rng.randrange(10**7)))
    text = str(value)
    if rng.random() < 0.4:
        group = how.thousands or ("." if how.decimal == "," else ",")
        text = f"{value:,}".replace(",", rng.choice((group, group, " ", "'", "\u00a0")))
    if not whole and rng.random() < 0.4:
        text += how.decimal + rng.choice(("5", "50", "25", "00"))
    if rng.random() < 0.25:
        text = rng.choice(
            ("${}", "${}/hr", "{} USD", "€ {}", "{} per hour", "US${}", "{} EUR/h")
        ).format(text)
    return text


def id_text(rng: random.Random, number: int) -> str:
    """Return an id as text, different for each number."""
    if rng.random() < 0.04:
        return rng.choice((*MISSING, "1.2E+10", "1,5e+12"))
    forms = (
        "{}",
        "{}",
        "{}",
        "u{}",
        "{}.0",
        " {} ",
        "00{}",
        "Zoë-{}",
        "{}\u200b",
        "-{}.00",
        "{}.5",
    )
    return rng.choice(forms).format(number)


def zone_text(rng: random.Random) -> str:
    """Return the name of a zone, or something else."""
    return rng.choice((*ZONES, *ZONES, "EST", "Central", "5", "Mars/Base", "utc", "-6"))


def word_text(rng: random.Random) -> str:
    """Return any text; a few are bare numbers."""
    return rng.choice(("12", "3.5", "-7")) if rng.random() < 0.05 else rng.choice(WORDS)


def padded(rng: random.Random, text: str) -> str:
    """Return a text, sometimes with blanks around it, or something that means missing."""
    if rng.random() < 0.08:
        return rng.choice(MISSING)
    if rng.random() < 0.1:
        return rng.choice((" {}", "{} ", "\u00a0{}\u200b", "\t{}", "\ufeff{}")).format(text)
    return text


def typed(rng: random.Random, kind: str, arrow: str, table: str, number: int) -> Any:
    """Return a value of a Parquet type for a contract column of a kind; None is missing."""
    if kind != "id" and rng.random() < 0.1:
        return None
    if kind == "id":
        return _typed_id(rng, arrow, number)
    if arrow.startswith("timestamp"):
        moment = moments(rng, table)
        zone = ZoneInfo(rng.choice(ZONES)) if arrow.endswith("UTC]") else None
        return moment.replace(tzinfo=zone)
    if arrow == "date":
        return moments(rng, table).date() if rng.random() < 0.95 else date(1850, 1, 1)
    if arrow in ("int64", "int32"):
        return rng.choice((rng.randrange(90), rng.randrange(10**6), -3))
    if arrow in ("double", "float"):
        common = (rng.randrange(320) / 4, float(rng.randrange(1000)), -2.5, float("nan"))
        return rng.choice((*common, *common, float("inf")))
    return rng.randrange(10000) / 4


def _typed_id(rng: random.Random, arrow: str, number: int) -> Any:
    if rng.random() < 0.03:
        return None
    if arrow in ("int64", "double") and rng.random() < 0.04:
        large = 2**53 + 2 * number
        return float(large) if arrow == "double" else large + 1
    return float(number) if arrow == "double" else number
