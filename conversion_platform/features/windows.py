"""Fills in `windows.sql` and `windows_next.sql`: which counts over which windows, by which keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
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
    "clicked_cents": "click",
}
_RECENCY = {"event_day": "true", "click_day": "click", "conversion_day": "conversion"}
_SEPARATOR = ",\n    "


@dataclass(frozen=True)
class Count:
    """What is counted, over how many days.

    All counts are sums of integers: their values cannot depend on the order of the rows, and
    adding a day and taking it away again leaves nothing behind.
    """

    what: str
    span: int

    @property
    def name(self) -> str:
        return f"{self.what}_{self.span}d"

    @property
    def type(self) -> str:
        return "BIGINT" if self.what == "clicked_cents" else "INTEGER"


@dataclass(frozen=True)
class Windows:
    """One temporary table of counts, by some keys, as of one day.

    Attributes:
        target: Its name.
        keys: What the counts are by.
        counts: The counts.
        recency: Whether it also has the last day with an event, a click, a conversion.
    """

    target: str
    keys: tuple[str, ...]
    counts: tuple[Count, ...]
    recency: bool

    @property
    def spans(self) -> list[int]:
        return sorted({count.span for count in self.counts})

    @property
    def kinds(self) -> list[str]:
        return list(dict.fromkeys(count.what for count in self.counts))

    @property
    def last_days(self) -> dict[str, str]:
        return _RECENCY if self.recency else {}


def _counts(spans: tuple[int, ...]) -> tuple[Count, ...]:
    return tuple(
        Count(what, span) for what in ("impressions", "clicks", "conversions") for span in spans
    )


_ALL = _counts((*WINDOWS, HISTORY_DAYS))
_PAID = (Count("priced_clicks", HISTORY_DAYS), Count("clicked_cents", HISTORY_DAYS))
_BY_CATEGORY = ("user_code", "category_code")
TABLES = (
    Windows("feature_user_windows", ("user_code",), (*_ALL, *_PAID), recency=True),
    Windows("feature_job_windows", ("job_code",), _ALL, recency=True),
    Windows(
        "feature_user_category_windows", _BY_CATEGORY, _counts((28, HISTORY_DAYS)), recency=False
    ),
)


def count_first(con: duckdb.DuckDBPyConnection, windows: Windows, days: DayRange) -> None:
    """Counts as of the first of `days`, from the events."""
    first = day_number(days.first)
    aggregates = [
        f"max(day) FILTER (WHERE {condition} AND day < {first}) AS {name}"
        for name, condition in windows.last_days.items()
    ]
    aggregates += [
        f"{_aggregate(count.what, f' AND day BETWEEN {first - count.span} AND {first - 1}')} "
        f"AS {count.name}"
        for count in windows.counts
    ]
    con.execute(
        rendered(
            "windows",
            {
                "target": windows.target,
                "keys": ", ".join(windows.keys),
                "last_key": windows.keys[-1],
                "first": first,
                "last": day_number(days.last),
                "longest": windows.spans[-1],
                "aggregates": _SEPARATOR.join(aggregates),
            },
        )
    )


def count_next(con: duckdb.DuckDBPyConnection, windows: Windows, day: date) -> None:
    """Counts as of `day`, from those as of the day before."""
    yesterday = day_number(day) - 1
    counted = {what: _aggregate(what) for what in windows.kinds}
    counted |= {
        name: f"max(day) FILTER (WHERE {condition})"
        for name, condition in windows.last_days.items()
    }
    con.execute(
        rendered(
            "windows_next",
            {
                "target": windows.target,
                "keys": ", ".join(windows.keys),
                "last_key": windows.keys[-1],
                "yesterday": yesterday,
                "left": ", ".join(str(yesterday - span) for span in windows.spans),
                "counted": _SEPARATOR.join(f"{sql} AS {name}" for name, sql in counted.items()),
                "changes": _SEPARATOR.join(_changes(windows, yesterday)),
                "sums": _SEPARATOR.join(_sums(windows)),
                "yesterday_keys": ", ".join(f"w.{key}" for key in windows.keys),
                "same_keys": " AND ".join(f"w.{key} = c.{key}" for key in windows.keys),
            },
        )
    )


def _changes(windows: Windows, yesterday: int) -> list[str]:
    last_days = [
        f"max({name}) FILTER (WHERE day = {yesterday}) AS {name}" for name in windows.last_days
    ]
    return last_days + [
        f"sum(CASE day WHEN {yesterday} THEN {count.what} "
        f"WHEN {yesterday - count.span} THEN -{count.what} ELSE 0 END) AS {count.name}"
        for count in windows.counts
    ]


def _sums(windows: Windows) -> list[str]:
    last_days = [f"coalesce(c.{name}, w.{name}) AS {name}" for name in windows.last_days]
    return last_days + [
        f"(w.{count.name} + coalesce(c.{count.name}, 0))::{count.type} AS {count.name}"
        for count in windows.counts
    ]


def _aggregate(what: str, further: str = "") -> str:
    condition = f"FILTER (WHERE {_CONDITIONS[what]}{further})"
    if what == "clicked_cents":
        return f"coalesce(sum(pay_cents) {condition}, 0)::BIGINT"
    return f"(count(*) {condition})::INTEGER"
