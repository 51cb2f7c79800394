"""Times in texts: formats, zones, and hours that occur twice or never."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

YEAR_FIRST = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?"
)
ZONED = re.compile(
    r"(?P<clock>.*:[0-9]{2}(?:\.[0-9]+)?(?:\s*[AaPp]\.?[Mm]\b\.?)?)\s*"
    r"(?P<zone>[A-Za-z][A-Za-z0-9_/+-]*|[+-][0-9]{2}(?::?[0-9]{2})?)"
)
GREENWICH = ("z", "ut", "utc", "gmt")

Answer = tuple[datetime | None, str | None]


def moment(text: str, formats: tuple[str, ...], zone: str | None) -> Answer:
    """Return the instant that a text says, or the reason why it says none."""
    clock, named = _zone_apart(text)
    reading = _reading(clock, formats)
    if reading is None:
        return None, "not_a_time"
    if named is None:
        return instant_of(reading, zone)
    if named.lower() in GREENWICH:
        return reading.replace(tzinfo=UTC), None
    if named[0] in "+-":
        offset = _offset(named)
        if offset is None:
            return None, "not_a_time"
        return reading.replace(tzinfo=UTC) - offset, None
    if named.isalpha():
        return None, "ambiguous_time_zone"
    if named not in available_timezones():
        return None, "not_a_time"
    return instant_of(reading, named)


def instant_of(reading: date, zone: str | None) -> Answer:
    """Return the instant of a clock reading in a zone.

    An hour that occurs twice is the later one; one that is skipped counts from before the change.
    """
    if not isinstance(reading, datetime):
        reading = datetime.combine(reading, time())
    if reading.tzinfo is not None:
        return reading.astimezone(UTC), None
    if zone is None:
        return None, "time_without_zone"
    local = ZoneInfo(zone)
    first, second = (reading.replace(tzinfo=local, fold=fold) for fold in (0, 1))
    later = max(first.astimezone(UTC), second.astimezone(UTC))
    return later, None


def _zone_apart(text: str) -> tuple[str, str | None]:
    if re.search(r"[0-9]\s*[AaPp]\.?[Mm]\.?$", text):
        return text, None
    found = ZONED.fullmatch(text)
    return (text, None) if found is None else (found["clock"].strip(), found["zone"])


def _reading(text: str, formats: tuple[str, ...]) -> datetime | None:
    for form in formats:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007
        except ValueError:
            continue
    found = YEAR_FIRST.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction = int((found[7] or "").ljust(6, "0")[:6])
    try:
        clock = time(hour, minute, second, fraction)
        return datetime.combine(date(year, month, day), clock)
    except ValueError:
        return None


def _offset(zone: str) -> timedelta | None:
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if int(digits[2:]) > 59 or offset > timedelta(hours=14):
        return None
    return -offset if zone[0] == "-" else offset
