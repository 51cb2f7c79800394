"""Masks personal data in values that are shown on a screen or in run metadata."""

from __future__ import annotations

import re

from conversion_platform.marketplace.cell_patterns import is_name, is_street
from conversion_platform.marketplace.tables import CONTRACT_COLUMNS

PERSONAL_USER_COLUMNS = {column.name for column in CONTRACT_COLUMNS["users"] if column.personal}
_LONG_NUMBER = re.compile(r"\+?\d(?:[ ().-]*\d){6,}")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+")
_MOST = 60
# Columns whose values are capitalised words of things: Eastern Time, Line Cook.
_NO_PEOPLE = {"time_zone", "title", "event_type", "job_id", "channel"}


def masked(column: str | None, text: str | None) -> str | None:
    """Return a value that may be shown.

    It is masked in personal columns, and where it looks like a person's name or address, as in rows
    whose cells moved by a column; it loses its phone numbers.

    Args:
        column: The contract column of the value (`Column.personal`).
        text: The value.
    """
    if text is None:
        return None
    if column in PERSONAL_USER_COLUMNS:
        return "(personal)"
    if column not in _NO_PEOPLE and (is_name(text) or is_street(text)):
        return "(personal)"
    if column and column.endswith("_at"):
        return text[:_MOST]
    hidden = _LONG_NUMBER.sub(lambda found: f"...{found.group()[-2:]}", text)
    hidden = _MAIL.sub("(address)", hidden)
    return hidden if len(hidden) <= _MOST else f"{hidden[: _MOST - 3]}..."
