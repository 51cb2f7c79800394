"""Where a person may be: candidate places from what the record and the number say.

An area code is not a place. What the record gives wins; where it is silent, every place that
is left stays a candidate, and a message may go only when all of them allow it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from conversion_platform.messaging.rules import EVERYWHERE, read_data

UNKNOWN_ZONE = "Etc/Unknown"


@dataclass(frozen=True, order=True)
class Place:
    """One place a person may be in: a clock, and whose rules hold there (`US` for all)."""

    zone: str
    rules_of: str


@lru_cache(maxsize=50_000)
def places_of(
    phone: str, time_zone: str | None, state: str | None, postal_code: str | None
) -> tuple[Place, ...]:
    """Every place that a person may be in; empty when nothing is known.

    Args:
        phone: In the form +15125550123; its candidate zones count only where neither zone
            nor state is known.
        time_zone: IANA zone in the user's record.
        state: State in the user's record: two letters or the name.
        postal_code: ZIP code in the user's record; gives the state where `state` is missing.
    """
    known = known_state(state) or state_of_zip(postal_code)
    zones = _zones(phone, time_zone, known)
    found = {Place(zone, EVERYWHERE) for zone in zones}
    for zone in zones:
        found |= {Place(zone, name) for name in ([known] if known else states_on_clock(zone))}
    return tuple(sorted(found))


def _zones(phone: str, time_zone: str | None, state: str | None) -> tuple[str, ...]:
    if time_zone and zone_exists(time_zone):
        return (time_zone,)
    if state:
        return tuple(_states()[state]["zones"])
    return _zones_of_number(phone)


@cache
def zone_exists(name: str) -> bool:
    """Whether `name` is an IANA zone that this machine knows."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _zones_of_number(phone: str) -> tuple[str, ...]:
    import phonenumbers
    from phonenumbers import timezone

    zones = timezone.time_zones_for_number(phonenumbers.parse(phone, None))
    return tuple(zone for zone in zones if zone != UNKNOWN_ZONE and zone_exists(zone))


def known_state(state: str | None) -> str | None:
    """Return the two letters of a US state or territory given by letters or name, else None."""
    if not state:
        return None
    wanted = state.strip().upper()
    return wanted if wanted in _states() else _names().get(wanted)


def state_of_zip(postal_code: str | None) -> str | None:
    """Return the state of a ZIP code (by its first three digits), else None."""
    digits = (postal_code or "").strip().partition("-")[0]
    if len(digits) != 5 or not digits.isascii() or not digits.isdigit():
        return None
    return _zips().get(digits[:3])


@cache
def states_on_clock(zone: str) -> tuple[str, ...]:
    """Return the inhabited states whose clocks show the same as `zone`, winter and summer."""
    shown = _clock(zone)
    return tuple(
        state
        for state, entry in sorted(_states().items())
        if any(_clock(name) == shown for name in entry["zones"])
    )


@cache
def _clock(zone: str) -> tuple[object, ...]:
    """Offsets in the middle of winter and of summer: what tells the clocks of the US apart."""
    return tuple(
        datetime(2026, month, 15, 12, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()
        for month in (1, 7)
    )


@cache
def _states() -> dict[str, dict[str, list[str]]]:
    states: dict[str, dict[str, list[str]]] = read_data("places.toml")["states"]
    return states


@cache
def _names() -> dict[str, str]:
    return {str(entry["name"]).upper(): state for state, entry in _states().items()}


@cache
def _zips() -> dict[str, str]:
    found = {}
    for state, entry in _states().items():
        for span in entry["zips"]:
            first, _, last = span.partition("-")
            for number in range(int(first), int(last or first) + 1):
                found[f"{number:03d}"] = state
    return found
