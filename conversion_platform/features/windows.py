"""Fills in `windows.sql`: which counts, over which windows, by which keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.features.catalogue import HISTORY_DAYS, WINDOWS
from conversion_platform.features.sources import day_number
from conversion_platform.features.templates import rendered

if TYPE_CHECKING:
    import duckdb

_CONDITIONS = {
    "impressions": "impression",
    "clicks": "click",
    "conversions": "conversion",
    "priced_clicks": "click AND pay_cents IS NOT NULL",
}
_ALL = tuple((what, s) for what in list(_CONDITIONS)[:3] for s in (*WINDOWS, HISTORY_DAYS))
_PAID = (("priced_clicks", HISTORY_DAYS), ("clicked_cents", HISTORY_DAYS))
_LONG = tuple((what, s) for what in list(_CONDITIONS)[:3] for s in (28, HISTORY_DAYS))
_SEPARATOR = ",\n        "


@dataclass(frozen=True)
class Windows:
    """One table of counts over windows.

    Attributes:
        target: The temporary table.
        keys: What the counts are by.
        counts: Pairs of what is counted and the days of the window.
    """

    target: str
    keys: str
    counts: tuple[tuple[str, int], ...]


TABLES = (
    Windows("feature_user_windows", "user_code", (*_ALL, *_PAID)),
    Windows("feature_job_windows", "job_code", _ALL),
    Windows("feature_user_category_windows", "user_code, category_code", _LONG),
)


def count_windows(con: duckdb.DuckDBPyConnection, windows: Windows, days: DayRange) -> None:
    """Builds one table of counts for every day of `days`.

    Args:
        con: A session with `feature_events` in place.
        windows: What to count.
        days: The days as of which to count.
    """
    names = [f"{what}_{span}d" for what, span in windows.counts]
    first = day_number(days.first)
    longest = max(span for _, span in windows.counts)
    con.execute(
        rendered(
            "windows",
            {
                "target": windows.target,
                "keys": windows.keys,
                "first": first,
                "last": day_number(days.last),
                "longest": longest,
                "entering": _SEPARATOR.join(
                    f"{_count(what, first - span)} AS {what}_{span}d"
                    for what, span in windows.counts
                ),
                "leaving": _leaving(windows, days),
                "sums": _SEPARATOR.join(f"sum({name})::BIGINT AS {name}" for name in names),
                "running_sums": _SEPARATOR.join(
                    f"(sum({name}) OVER so_far)::{_type(name)} AS {name}" for name in names
                ),
            },
        )
    )


def _leaving(windows: Windows, days: DayRange) -> str:
    """One branch for each window: what a day takes away when it drops out of it."""
    if len(days) == 1:
        return ""
    return "".join(
        rendered(
            "windows_leaving",
            {
                "keys": windows.keys,
                "span": span,
                "first": day_number(days.first),
                "last": day_number(days.last),
                "columns": _SEPARATOR.join(
                    f"-{_count(what)}" if own == span else "0" for what, own in windows.counts
                ),
            },
        ).rstrip("\n")
        for span in sorted({span for _, span in windows.counts})
    )


def _count(what: str, since: int | None = None) -> str:
    """An exact integer aggregate: its value cannot depend on the order of the rows."""
    recent = "" if since is None else f" AND day >= {since}"
    if what == "clicked_cents":
        return f"coalesce(sum(pay_cents) FILTER (WHERE click{recent}), 0)::BIGINT"
    return f"count(*) FILTER (WHERE {_CONDITIONS[what]}{recent})"


def _type(name: str) -> str:
    return "BIGINT" if name.startswith("clicked_cents") else "INTEGER"
