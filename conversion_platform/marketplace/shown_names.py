"""Which names of columns messages may show: a file without a header has a person's row there."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

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
    return is_value(text)


def is_value(text: str) -> bool:
    """Return whether a text is a number, a date, a time, an address, or an id of digits."""
    return _CELL.fullmatch(text.strip()) is not None


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


def list_of(names: Mapping[str, str], doubted: Mapping[str, str] | None = None) -> str:
    """Return a list of names for a message, or why they are not shown.

    Args:
        names: Names to show, with those in the source.
        doubted: Names in the source that may be the cells of a row, each with its file.
    """
    if lacks_header(names.values()):
        return f"not shown, because some look like values: {_QUESTION}"
    doubted = doubted or {}
    sure = {name: given for name, given in names.items() if given not in doubted}
    fine = showable(sure)
    more = " ..." if len(fine) > _MOST_SHOWN else ""
    hidden = len(sure) - len(fine)
    notes = [
        *([f"and {hidden} that looks like a value"] if hidden else []),
        *_doubts([doubted[given] for given in names.values() if given in doubted]),
    ]
    listed = ", ".join(fine[:_MOST_SHOWN]) or "none"
    return f"{listed}{more}" + (f" ({'; '.join(notes)})" if notes else "")


def _doubts(files: Sequence[str]) -> list[str]:
    """Return why names are not shown, given the file of each."""
    if not files:
        return []
    return [
        f"{len(files)} not shown: the header of {files[0]} may be a row. If it is one, add a line "
        "with the names of the columns above it"
    ]
