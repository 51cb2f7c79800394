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

# Aggregates of each kind over events, with a place for a further condition ...
_SINGLE = {
    "impressions": "count(*) FILTER (WHERE impression{})",
    "clicks": "count(*) FILTER (WHERE click{})",
    "conversions": "count(*) FILTER (WHERE conversion{})",
    "priced_clicks": "count(pay_cents) FILTER (WHERE click{})",
    "clicked_cents": "coalesce(sum(pay_cents) FILTER (WHERE click{}), 0)",
}
# ... and over rows that stand for several events.
_GROUPED = {
    "impressions": "coalesce(sum(events) FILTER (WHERE impression{}), 0)",
    "clicks": "coalesce(sum(events) FILTER (WHERE click{}), 0)",
    "conversions": "coalesce(sum(events) FILTER (WHERE conversion{}), 0)",
    "priced_clicks": "coalesce(sum(priced) FILTER (WHERE click{}), 0)",
    "clicked_cents": "coalesce(sum(cents) FILTER (WHERE click{}), 0)",
}
_RECENCY = {"event_day": "true", "click_day": "click", "conversion_day": "conversion"}
# Few keys have many events each: those that lie in the same windows are counted together, and stand
# for one row on the last of their days. Pay is looked up for clicks only, a tenth of the events.
_TOGETHER = {
    "events": "feature_events",
    "measures": "count(*) AS events, 0 AS priced, 0 AS cents",
    "condition": "true",
}
_PAY_TOGETHER = {
    "events": "feature_paid_events",
    "measures": "0 AS events, count(pay_cents) AS priced, sum(pay_cents) AS cents",
    "condition": "click",
}
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
        few_keys: Whether keys have many events each, so that it pays to group them first.
    """

    target: str
    keys: tuple[str, ...]
    counts: tuple[Count, ...]
    recency: bool
    few_keys: bool

    @property
    def spans(self) -> list[int]:
        return sorted({count.span for count in self.counts})

    @property
    def kinds(self) -> list[str]:
        return list(dict.fromkeys(count.what for count in self.counts))

    @property
    def paid(self) -> bool:
        """Whether any of its counts needs the pay of jobs."""
        return not {"priced_clicks", "clicked_cents"}.isdisjoint(self.kinds)

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
    Windows("feature_user_windows", ("user_code",), (*_ALL, *_PAID), recency=True, few_keys=True),
    Windows("feature_job_windows", ("job_code",), _ALL, recency=True, few_keys=True),
    Windows(
        "feature_user_category_windows",
        _BY_CATEGORY,
        _counts((28, HISTORY_DAYS)),
        recency=False,
        few_keys=False,
    ),
)


def count_first(con: duckdb.DuckDBPyConnection, windows: Windows, days: DayRange) -> None:
    """Counts as of the first of `days`, from the events."""
    first = day_number(days.first)
    variables: dict[str, object] = {
        "target": windows.target,
        "keys": ", ".join(windows.keys),
        "last_key": windows.keys[-1],
        "first": first,
        "last": day_number(days.last),
        "longest": windows.spans[-1],
        "cases": "\n".join(f"WHEN day >= {first - span} THEN {span}" for span in windows.spans),
        "aggregates": _SEPARATOR.join(_first_aggregates(windows, first)),
    }
    variables["source"] = _source(windows, variables)
    con.execute(rendered("windows", variables))


def _source(windows: Windows, variables: dict[str, object]) -> str:
    """What the counts of the first day are made from."""
    if not windows.few_keys:
        return "feature_events"
    parts = [_TOGETHER, _PAY_TOGETHER] if windows.paid else [_TOGETHER]
    queries = (rendered("windows_source", {**variables, **part}) for part in parts)
    return f"({' UNION ALL '.join(queries)})"


def _first_aggregates(windows: Windows, first: int) -> list[str]:
    aggregates = _GROUPED if windows.few_keys else _SINGLE
    last_days = [
        f"max(day) FILTER (WHERE {condition} AND day < {first}) AS {name}"
        for name, condition in windows.last_days.items()
    ]
    return last_days + [
        aggregates[count.what].format(f" AND day BETWEEN {first - count.span} AND {first - 1}")
        + f"::{count.type} AS {count.name}"
        for count in windows.counts
    ]


def count_next(con: duckdb.DuckDBPyConnection, windows: Windows, day: date) -> None:
    """Counts as of `day`, from those as of the day before."""
    yesterday = day_number(day) - 1
    counted = {what: _SINGLE[what].format("") for what in windows.kinds}
    counted |= {
        name: f"max(day) FILTER (WHERE {condition})"
        for name, condition in windows.last_days.items()
    }
    con.execute(
        rendered(
            "windows_next",
            {
                "target": windows.target,
                "events": "feature_paid_events" if windows.paid else "feature_events",
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
