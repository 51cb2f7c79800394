"""The dated rules of data/rules.toml, read once."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from importlib import resources
from typing import Any

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERYWHERE = "US"


@dataclass(frozen=True)
class HoursRule:
    """When texts may arrive in one place.

    Attributes:
        place: `US` (everywhere) or a state's two letters.
        since: First local day on which the rule holds.
        windows: Opening and closing local time for each weekday, Monday first; the opening
            minute is allowed, the closing minute is not.
    """

    rule_id: str
    place: str
    since: date
    windows: tuple[tuple[time, time], ...]
    source: str


@dataclass(frozen=True)
class FrequencyRule:
    """At most `most` texts to one number within `hours` in one place."""

    rule_id: str
    place: str
    since: date
    most: int
    hours: int
    source: str


@dataclass(frozen=True)
class Keywords:
    """Words that decide when they are the whole reply."""

    rule_id: str
    kind: str
    words: frozenset[str]
    source: str


@dataclass(frozen=True)
class Wording:
    """Patterns that decide when one is found in the reply."""

    rule_id: str
    kind: str
    patterns: tuple[re.Pattern[str], ...]
    source: str


@dataclass(frozen=True)
class Rules:
    """Everything in the rule file."""

    hours: tuple[HoursRule, ...]
    frequency: tuple[FrequencyRule, ...]
    keywords: tuple[Keywords, ...]
    wordings: tuple[Wording, ...]

    def hours_on(self, place: str, day: date) -> HoursRule | None:
        """The rule in force in `place` on a local day, if there is one."""
        return _latest([rule for rule in self.hours if rule.place == place], day)

    def frequency_on(self, place: str, day: date) -> FrequencyRule | None:
        """The frequency rule in force in `place` on a local day, if there is one."""
        return _latest([rule for rule in self.frequency if rule.place == place], day)


def _latest(rules: list[Any], day: date) -> Any | None:
    begun = [rule for rule in rules if rule.since <= day]
    return max(begun, key=lambda rule: rule.since) if begun else None


def read_data(name: str) -> dict[str, Any]:
    """One of the package's TOML files."""
    text = resources.files("conversion_platform.messaging").joinpath("data", name)
    return tomllib.loads(text.read_text(encoding="utf-8"))


@cache
def rules() -> Rules:
    """The rules that come with the package."""
    data = read_data("rules.toml")
    return Rules(
        hours=tuple(_hours(entry) for entry in data["hours"]),
        frequency=tuple(_frequency(entry) for entry in data["frequency"]),
        keywords=tuple(
            Keywords(entry["rule_id"], entry["kind"], frozenset(entry["words"]), entry["source"])
            for entry in data["keywords"]
        ),
        wordings=tuple(_wording(entry) for entry in data["wordings"]),
    )


def _hours(entry: dict[str, Any]) -> HoursRule:
    return HoursRule(
        entry["rule_id"],
        entry["place"],
        entry["from"],
        _windows(entry["hours"]),
        entry["source"],
    )


def _windows(hours: dict[str, str]) -> tuple[tuple[time, time], ...]:
    windows: dict[int, tuple[time, time]] = {}
    for days, span in hours.items():
        first, _, last = days.partition("-")
        opening, _, closing = span.partition("-")
        for weekday in range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1):
            windows[weekday] = (time.fromisoformat(opening), time.fromisoformat(closing))
    return tuple(windows[weekday] for weekday in range(7))


def _frequency(entry: dict[str, Any]) -> FrequencyRule:
    return FrequencyRule(
        entry["rule_id"],
        entry["place"],
        entry["from"],
        entry["most"],
        entry["hours"],
        entry["source"],
    )


def _wording(entry: dict[str, Any]) -> Wording:
    return Wording(
        entry["rule_id"],
        entry["kind"],
        tuple(re.compile(pattern) for pattern in entry["patterns"]),
        entry["source"],
    )
