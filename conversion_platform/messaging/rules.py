"""The dated rules of data/rules.toml, read once."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from importlib import resources
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERYWHERE = "US"


def _windows(hours: dict[str, str]) -> tuple[tuple[time, time], ...]:
    windows: dict[int, tuple[time, time]] = {}
    for days, span in hours.items():
        first, _, last = days.partition("-")
        opening, _, closing = span.partition("-")
        for weekday in range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1):
            windows[weekday] = (time.fromisoformat(opening), time.fromisoformat(closing))
    return tuple(windows[weekday] for weekday in range(7))


Since = Annotated[date, Field(alias="from")]


@dataclass(frozen=True)
class HoursRule:
    """When messages may arrive in one place.

    Attributes:
        place: `US` (everywhere) or a state's two letters.
        since: First local day on which the rule holds.
        windows: Opening and closing local time for each weekday, Monday first; the opening
            minute is allowed, the closing minute is not.
    """

    rule_id: str
    place: str
    since: Since
    windows: Annotated[
        tuple[tuple[time, time], ...], Field(alias="hours"), BeforeValidator(_windows)
    ]
    source: str


@dataclass(frozen=True)
class FrequencyRule:
    """At most `most` messages to one number within `hours` in one place."""

    rule_id: str
    place: str
    since: Since
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
        """Return the rule in force in `place` on a local day, if there is one."""
        return _latest([rule for rule in self.hours if rule.place == place], day)

    def frequency_on(self, place: str, day: date) -> FrequencyRule | None:
        """Return the frequency rule in force in `place` on a local day, if there is one."""
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
    """Return the rules that come with the package."""
    return TypeAdapter(Rules).validate_python(read_data("rules.toml"))
