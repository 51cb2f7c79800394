"""Which names of columns messages may show: a file without a header has a person's row there."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_MOST_LENGTH, _MOST_WORDS, _MOST_SHOWN = 60, 5, 30
_MANY, _SHARE = 2, 0.25  # names that look like cells: from here on the first line is a row

# A cell: an address, a number or a phone number, a date, a time, an id of digits such as u0042.
_CELL = re.compile(
    r".*@.*|[+\-($€£]?\s*[\d\s().,/:+\-]*\d[\d\s().,/:+\-]*(?:[TZ%].*)?|[A-Za-z]{0,3}[-_]?\d{3,}"
    r"|.*\d{7,}.*|\d{4}-\d{2}-\d{2}.*|\d{1,2}[./]\d{1,2}[./]\d{2,4}.*|.*://.*|[$€£]\s*\d.*",
    re.DOTALL,
)


_QUESTION = (
    "has the source a header? If not, export it again with its column names in the first line"
)


def looks_like_cell(name: str) -> bool:
    """Return whether a name in a header looks like a value and not like the name of a column."""
    text = name.strip()
    if len(text) > _MOST_LENGTH or len(re.findall(r"[^\W_]+", text)) > _MOST_WORDS:
        return True
    return _CELL.fullmatch(text) is not None


def lacks_header(names: Collection[str]) -> bool:
    """Return whether names look like the cells of a row, because several of them do."""
    found = sum(map(looks_like_cell, names))
    return found >= _MANY or found > _SHARE * len(names)


def showable(names: Mapping[str, str]) -> list[str]:
    """Return the names that a message may show: none if they look like the cells of a row.

    Args:
        names: Names to show, with those in the source.
    """
    if lacks_header(names.values()):
        return []
    return [name for name, given in names.items() if not looks_like_cell(given)]


def list_of(names: Mapping[str, str]) -> str:
    """Return a list of names for a message, or why they are not shown.

    Args:
        names: Names to show, with those in the source.
    """
    if lacks_header(names.values()):
        return f"not shown, because some look like values: {_QUESTION}"
    fine = showable(names)
    more = " ..." if len(fine) > _MOST_SHOWN else ""
    hidden = len(names) - len(fine)
    return (
        (", ".join(fine[:_MOST_SHOWN]) or "none")
        + more
        + (f" (and {hidden} that looks like a value)" if hidden else "")
    )
