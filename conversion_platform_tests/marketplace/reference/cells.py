"""A cell as a value of the contract, or the reason why it has none."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from conversion_platform_tests.marketplace.reference.numbers import Measures, number
from conversion_platform_tests.marketplace.reference.settings import How
from conversion_platform_tests.marketplace.reference.times import instant_of, moment

FIRST = datetime(1900, 1, 1, tzinfo=UTC)
LAST = datetime(2200, 1, 1, tzinfo=UTC)
BARE_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")
SHORTENED = re.compile(r"[0-9]([.,][0-9]+)?[eE]\+[0-9]{2,}")


@dataclass(frozen=True)
class Said:
    """What a cell says.

    Attributes:
        value: Its value; None if it is missing or cannot be read.
        reason: Why it cannot be read.
        kept: The value that the checked table gets.
    """

    value: Any = None
    reason: str | None = None
    kept: Any = None


MISSING = Said()


def text_of(cell: Any, how: How) -> str | None:
    """Return a cell as text without blanks around it; None if it is missing."""
    if isinstance(cell, list):
        items = [text_of(item, How(null_values=())) or "" for item in cell if item is not None]
        cell = "|".join(item.replace("|", "/") for item in items)
    text = cell if isinstance(cell, str) else _written(cell)
    if text is None or text in how.null_values:
        return None
    text = stripped(text)
    return None if text == "" or text in how.null_values else text


def stripped(text: str) -> str:
    """Return a text without blanks, zero-width characters and byte-order marks around it."""
    start, end = 0, len(text)
    while start < end and _is_blank(text[start]):
        start += 1
    while end > start and _is_blank(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_blank(mark: str) -> bool:
    return mark in "\t\n\x0b\x0c\r\0" or unicodedata.category(mark) in ("Zs", "Zl", "Zp", "Cf")


def _written(cell: Any) -> str | None:
    """Return a cell of a type as text, as a person would write it."""
    if isinstance(cell, bytes):
        return cell.decode()
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        if math.isnan(cell):
            return None
        return str(int(cell)) if math.isfinite(cell) and cell == int(cell) else repr(cell)
    if isinstance(cell, Decimal):
        return re.sub(r"\.0+$", "", f"{cell:f}")
    if isinstance(cell, datetime):
        zone = "" if cell.tzinfo is None else "+00"
        clock = cell if cell.tzinfo is None else cell.astimezone(UTC)
        fraction = f".{clock.microsecond:06d}".rstrip("0") if clock.microsecond else ""
        return f"{clock:%Y-%m-%d %H:%M:%S}{fraction}{zone}"
    return None if cell is None else str(cell)


@dataclass(frozen=True)
class Reader:
    """Reads cells of a source.

    Attributes:
        how: Its settings.
        measures: Currency and unit of each number column.
        allowed: Event types that may be bare numbers.
    """

    how: How
    measures: dict[str, Measures]
    allowed: tuple[str, ...] = ()

    def read(self, name: str, kind: str, cell: Any, bounds: tuple[float, float]) -> Said:
        """Return what a cell says.

        Args:
            name: The contract column.
            kind: Its kind.
            cell: The cell.
            bounds: Smallest and largest value of a number, or seconds of a time.
        """
        text = text_of(cell, self.how)
        if text is None:
            return MISSING
        if kind in ("number", "integer"):
            return self._number(name, kind, cell, text, bounds)
        if kind in ("time", "end"):
            return self._time(kind, cell, text, bounds)
        reason = None
        if kind == "id":
            text = re.sub(r"^(-?[0-9]+)\.0+$", r"\1", text)
            inexact = isinstance(cell, float) and abs(cell) >= 2**53
            reason = "inexact_id" if inexact or SHORTENED.fullmatch(text) else None
        elif kind in ("words", "zone"):
            if BARE_NUMBER.fullmatch(text) and text not in self.allowed:
                reason = "number_where_text_belongs"
            elif kind == "zone" and text not in available_timezones():
                reason = "unknown_time_zone"
        return Said(text, reason, None if reason else text)

    def _number(
        self, name: str, kind: str, cell: Any, text: str, bounds: tuple[float, float]
    ) -> Said:
        if text.lower() == "nan":
            return MISSING
        value: float | int | None
        if isinstance(cell, str | bytes):
            value = number(text, self.how, self.measures.get(name, Measures()))
        elif isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
            value = float(cell)
        else:
            value = None
        if value is None or not math.isfinite(value):
            return Said(None, "not_a_number")
        if kind == "integer":
            if value != int(value) or abs(value) >= 2**63:
                return Said(None, "not_a_number")
            value = int(text) if re.fullmatch(r"-?[0-9]+", text) else int(value)
        out = abs(value) > 3.4e38 or not bounds[0] <= value <= bounds[1]
        return Said(value, "out_of_range" if out else None, None if out else value)

    def _time(self, kind: str, cell: Any, text: str, bounds: tuple[float, float]) -> Said:
        if isinstance(cell, str | bytes):
            value, reason = moment(text, self.how.date_format, self.how.time_zone)
        elif isinstance(cell, date):
            value, reason = instant_of(cell, self.how.time_zone)
        else:
            value, reason = None, "not_a_time"
        if value is None:
            return Said(None, reason)
        if value < FIRST or (kind == "time" and value >= LAST):
            return Said(value, "not_a_time")
        if value.timestamp() < bounds[0]:
            return Said(value, "out_of_range")
        return Said(value, None, value if value < LAST else None)
