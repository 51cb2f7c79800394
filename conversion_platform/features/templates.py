"""Reads the .sql files of this package and fills in their few variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from conversion_platform import lake
from conversion_platform.days import ONE_DAY
from conversion_platform.lake import instant, listed, quoted
from conversion_platform.marketplace import by_text

if TYPE_CHECKING:
    from conversion_platform.days import DayRange
    from conversion_platform.settings import Settings


def rendered(name: str, variables: Mapping[str, object] | None = None) -> str:
    """Return the SQL of `sql/NAME.sql` with its variables filled in."""
    return lake.rendered(f"{__package__}.sql", name, **(variables or {}))


def event_conditions(settings: Settings) -> dict[str, object]:
    """Return what the settings say about event types, as SQL."""
    events = settings.events
    shown = f"e.event_type IN ({listed(events.impression_types)})"
    return {
        # Where nobody logs impressions, everything a user did counts as having been shown.
        "impression": shown if events.negatives == "impressions" else "true",
        "click_types": listed(events.click_types),
        "conversion_types": listed(events.conversion_types),
        "by_text": by_text(settings, "e.channel"),
    }


def event_kinds(settings: Settings) -> str:
    """Return SQL of what an event counts as: 1 impression, 2 click, 4 conversion; added up.

    8 more if it came through one of our messages.
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
    ours = f"CASE WHEN {by_text(settings, 'e.channel')} THEN 8 ELSE 0 END"
    return f"CASE e.event_type {cases} ELSE {always} END + {ours}"


def partition_ends(settings: Settings, partitions: DayRange) -> str:
    """Return SQL (a parenthesised query) of the days events lie under, each with its end."""
    zone = settings.platform.time_zone
    rows = ", ".join(f"(DATE '{day}', {instant(day + ONE_DAY, zone)})" for day in partitions)
    return f"(SELECT * FROM (VALUES {rows}) AS v (dt, ends))"


def known_day_sql(settings: Settings) -> str:
    """Return SQL of the day on which event `e` of `p` became known; NULL if that is too late.

    Only what was recorded on a later day asks the calendar: a comparison is far cheaper.
    """
    day = f"known_on(e.occurred_at, e.recorded_at, {quoted(settings.platform.time_zone)})"
    return (
        "CASE WHEN known_before(e.occurred_at, e.recorded_at, p.ends) THEN p.dt "
        f"WHEN {day} <= p.dt + {settings.events.late_days} THEN {day} END"
    )
