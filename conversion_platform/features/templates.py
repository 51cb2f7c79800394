"""Reads the .sql files of this room and fills in their few variables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from conversion_platform.days import ONE_DAY
from conversion_platform.lake import instant, listed, quoted

if TYPE_CHECKING:
    from conversion_platform.days import DayRange
    from conversion_platform.settings import Settings


@cache
def _template(name: str) -> Template:
    return Template((files(__package__) / "sql" / f"{name}.sql").read_text(encoding="utf-8"))


def rendered(name: str, variables: Mapping[str, object] | None = None) -> str:
    """The SQL of `sql/NAME.sql` with its variables filled in."""
    return _template(name).substitute(variables or {})


def event_conditions(settings: Settings) -> dict[str, object]:
    """What the settings say about event types, as SQL."""
    events = settings.events
    shown = f"e.event_type IN ({listed(events.impression_types)})"
    return {
        # Where nobody logs impressions, everything a user did counts as having been shown.
        "impression": shown if events.negatives == "impressions" else "true",
        "click_types": listed(events.click_types),
        "conversion_types": listed(events.conversion_types),
    }


def event_kinds(settings: Settings) -> str:
    """SQL of what an event counts as: 1 impression, 2 click, 4 conversion; added up.

    One comparison a row and type: three lists, each asked of every row, take twice as long.
    """
    events = settings.events
    always = 0 if events.negatives == "impressions" else 1
    kinds = dict.fromkeys(
        (*events.impression_types, *events.click_types, *events.conversion_types), always
    )
    for types, kind in (
        (events.impression_types, 1),
        (events.click_types, 2),
        (events.conversion_types, 4),
    ):
        for one in types:
            kinds[one] |= kind
    cases = " ".join(f"WHEN {quoted(one)} THEN {kind}" for one, kind in kinds.items())
    return f"CASE e.event_type {cases} ELSE {always} END"


def partition_ends(settings: Settings, partitions: DayRange) -> str:
    """SQL (a parenthesised query) of the days events lie under, with the moments that matter.

    `ends_0` is when the day `dt` ends, `ends_1` when the day after it does, up to the last day on
    which a late event still counts.
    """
    later = range(settings.events.late_days + 1)
    zone = settings.platform.time_zone
    rows = ", ".join(
        f"(DATE '{day}', {', '.join(instant(day + (n + 1) * ONE_DAY, zone) for n in later)})"
        for day in partitions
    )
    columns = ", ".join(f"ends_{n}" for n in later)
    return f"(SELECT * FROM (VALUES {rows}) AS v (dt, {columns}))"


def known_on(settings: Settings, day: str) -> str:
    """SQL of the day on which event `e` of partition `p` became known; NULL if that is too late.

    Compared with the ends of days, not taken from the calendar: for the few late events alone that
    took as long as everything else.

    Args:
        settings: How late an event may be.
        day: SQL of the partition's day, to which days can be added.
    """
    cases = (
        f"WHEN e.occurred_at < p.ends_{n} AND e.recorded_at < p.ends_{n} THEN {day} + {n}"
        for n in range(settings.events.late_days + 1)
    )
    return f"CASE {' '.join(cases)} END"
