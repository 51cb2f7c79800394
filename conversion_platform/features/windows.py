"""Fills in `windows*.sql`: which counts over which windows, by which keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.features.builtin import HISTORY_DAYS, WINDOWS
from conversion_platform.features.sources import day_number
from conversion_platform.features.templates import rendered

if TYPE_CHECKING:
    import duckdb

# Aggregates of each kind over events, with a place for a further condition ...
_SINGLE = {
    "impressions": "count(*) FILTER (WHERE feature_impression(kinds){})",
    "clicks": "count(*) FILTER (WHERE feature_click(kinds){})",
    "conversions": "count(*) FILTER (WHERE feature_conversion(kinds){})",
    "priced_clicks": "count(pay_cents) FILTER (WHERE feature_click(kinds){})",
    "clicked_cents": "coalesce(sum(pay_cents) FILTER (WHERE feature_click(kinds){}), 0)",
}
# ... and over rows that stand for all events of one kind.
_GROUPED = {
    "impressions": "sum(events) FILTER (WHERE feature_impression(kinds))",
    "clicks": "sum(events) FILTER (WHERE feature_click(kinds))",
    "conversions": "sum(events) FILTER (WHERE feature_conversion(kinds))",
}
# Pay is looked up for clicks only, a tenth of the events.
_PAID = {"priced_clicks": "count(pay_cents)", "clicked_cents": "sum(pay_cents)"}
_RECENCY = {
    "event_day": "max(day)",
    "click_day": "max(day) FILTER (WHERE feature_click(kinds))",
    "conversion_day": "max(day) FILTER (WHERE feature_conversion(kinds))",
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
        few_keys: Whether keys have many events each: joining their windows then costs nothing.
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
    def of_events(self) -> list[Count]:
        """The counts that need no pay of jobs."""
        return [count for count in self.counts if count.what not in _PAID]

    @property
    def paid(self) -> bool:
        """Whether any of its counts needs the pay of jobs."""
        return len(self.of_events) < len(self.counts)

    @property
    def last_days(self) -> dict[str, str]:
        return _RECENCY if self.recency else {}


def _counts(spans: tuple[int, ...]) -> tuple[Count, ...]:
    return tuple(
        Count(what, span) for what in ("impressions", "clicks", "conversions") for span in spans
    )


_ALL = _counts((*WINDOWS, HISTORY_DAYS))
_OF_PAY = (Count("priced_clicks", HISTORY_DAYS), Count("clicked_cents", HISTORY_DAYS))
_BY_CATEGORY = ("user_code", "category_code")
WINDOW_TABLES = (
    Windows("feature_user_windows", ("user_code",), (*_ALL, *_OF_PAY), recency=True, few_keys=True),
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
    """Count as of the first of `days`, from the events.

    Whatever the later days will count is listed already, with zeros: they only have to update it.
    """
    query = (_one_by_one if windows.few_keys else _all_at_once)(windows, days)
    with _counted_in_arrays(con):
        con.execute(query)


@contextmanager
def _counted_in_arrays(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Lets DuckDB count by codes in an array instead of a hash table, where the array is small.

    `perfect_ht_threshold` is the size of that array in bits; DuckDB's own 12 is for a few thousand
    keys. There is one for each thread, of 8 bytes a count: 21 bits for two threads are 250 MB at
    most, for 100,000 users in a dozen categories. More threads share the same memory. Only where
    all events are counted: for those of one day the array would take longer than the counting.
    """
    row = con.execute("SELECT current_setting('threads')").fetchone()
    threads = int(row[0]) if row else 1
    con.execute(f"SET perfect_ht_threshold = {23 - threads.bit_length()}")
    try:
        yield
    finally:
        con.execute("RESET perfect_ht_threshold")


def _all_at_once(windows: Windows, days: DayRange) -> str:
    """One pass over the events, with a condition for each count."""
    first = day_number(days.first)
    until = f" AND day < {first}" if days.last > days.first else ""
    counts = []
    for count in windows.counts:
        since = f" AND day >= {first - count.span}" if count.span < windows.spans[-1] else ""
        counts.append(_SINGLE[count.what].format(since + until) + _named(count))
    return rendered(
        "windows",
        {
            "target": windows.target,
            "keys": ", ".join(windows.keys),
            "counts": _SEPARATOR.join(counts),
            "from": first - windows.spans[-1],
            "to": day_number(days.last) - 1,
            "last_key": windows.keys[-1],
        },
    )


def _one_by_one(windows: Windows, days: DayRange) -> str:
    """Count in a pass for each window, whose few rows are then joined: most windows are short."""
    columns = [f"w{windows.spans[-1]}.{name}" for name in windows.last_days]
    for count in windows.counts:
        window = "paid" if count.what in _PAID else f"w{count.span}"
        columns.append(f"coalesce({window}.{count.what}, 0){_named(count)}")
    keys = ", ".join(windows.keys)
    return rendered(
        "windows_joined",
        {
            "target": windows.target,
            "keys": keys,
            "counts": _SEPARATOR.join(columns),
            "windows": "\nLEFT JOIN ".join(
                f"({query}) AS {name}{f' USING ({keys})' if joined else ''}"
                for joined, (name, query) in enumerate(_parts(windows, keys, days))
            ),
        },
    )


def _parts(windows: Windows, keys: str, days: DayRange) -> Iterator[tuple[str, str]]:
    """Name and query of what `_one_by_one` joins; the first has all keys."""
    first, last = day_number(days.first), day_number(days.last)
    longest = windows.spans[-1]
    known = f"{windows.keys[-1]} IS NOT NULL"
    if last > first:
        met = f"day BETWEEN {first - longest} AND {last - 1} AND {known}"
        yield "listed", f"SELECT {keys} FROM feature_events WHERE {met} GROUP BY {keys}"
    for span in reversed(windows.spans):
        counted = {c.what: _GROUPED[c.what] for c in windows.of_events if c.span == span}
        if span == longest:
            counted |= windows.last_days
        between = {"keys": keys, "from": first - span, "to": first - 1, "known": known}
        source = rendered("windows_kinds", between)
        yield f"w{span}", f"SELECT {keys}, {_listed(counted)} FROM ({source}) GROUP BY {keys}"
    if windows.paid:
        clicked = f"day BETWEEN {first - longest} AND {first - 1} AND feature_click(kinds)"
        source = f"feature_paid_events WHERE {clicked}"
        yield "paid", f"SELECT {keys}, {_listed(_PAID)} FROM {source} GROUP BY {keys}"


def _listed(aggregates: Mapping[str, str]) -> str:
    return _SEPARATOR.join(f"{sql} AS {name}" for name, sql in aggregates.items())


def _named(count: Count) -> str:
    return f"::{count.type} AS {count.name}"


def count_next(con: duckdb.DuckDBPyConnection, windows: Windows, day: date) -> None:
    """Count as of `day`, from those as of the day before."""
    yesterday = day_number(day) - 1
    counted = {what: _SINGLE[what].format("") for what in windows.kinds} | windows.last_days
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
                "counted": _listed(counted),
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
