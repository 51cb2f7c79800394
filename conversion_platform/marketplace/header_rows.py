"""Tells the header of a file from a row that stands where a header belongs.

A row there may be a person's, so the names are shown in messages only where something says that
they are names: contract columns among them, or columns of values below names that are none.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from functools import cache

from conversion_platform.marketplace.cell_patterns import means_missing
from conversion_platform.marketplace.contract import CONTRACTS
from conversion_platform.marketplace.headers import snake
from conversion_platform.marketplace.shown_names import is_value

_ENOUGH = 2  # signs of a header: one may be a row's `by agreement` above numbers
_CLOSE = 0.75  # how alike a name is to a contract column that it may mean


def tells_names(
    names: Sequence[str], rows: Sequence[Sequence[str]], mapped: Collection[str]
) -> bool:
    """Return whether the first line of a file is seen to be its header.

    Args:
        names: The fields of the line.
        rows: The fields of some lines below it.
        mapped: Names that the settings say are columns.
    """
    if any(_is_surely_named(name, mapped) for name in names):
        return True
    columns = [(name.strip(), _below(place, rows)) for place, name in enumerate(names)]
    if any(_is_of_row(name, cells) for name, cells in columns):
        return False
    return sum(_told_by(name, cells) for name, cells in columns) >= _ENOUGH


def _is_surely_named(name: str, mapped: Collection[str]) -> bool:
    """Return whether a name is one that no cell says: a mapped one, or `user_id`, or like it."""
    if is_value(name):
        return False
    several, _ = _contract_names()
    known = [*several, *(one for one in map(snake, mapped) if "_" in one)]
    is_like = difflib.get_close_matches(snake(name), known, n=1, cutoff=_CLOSE)
    return name.strip() in mapped or bool(is_like)


@cache
def _contract_names() -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the contract columns of several words, and those of one, which a cell may say too."""
    names = {field.name for contract in CONTRACTS for field in contract.fields}
    several = {name for name in names if "_" in name}
    return tuple(sorted(several)), frozenset(names - several)


def _below(place: int, rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the cells of a column that say something."""
    cells = [row[place].strip() for row in rows if place < len(row)]
    return [cell for cell in cells if cell and not means_missing(cell)]


def _is_of_row(name: str, cells: Sequence[str]) -> bool:
    """Return whether a field is a cell, as the cells below it show.

    They say the same, or are values as it is one, or are written as it is: u0000 above u0001.
    """
    if not name or not cells:
        return False
    if name.casefold() in (cell.casefold() for cell in cells):
        return True
    if is_value(name):
        return all(map(is_value, cells))
    if not any(map(str.isdigit, name)):
        return False
    same_length = len(cells) > 1 and all(len(cell) == len(name) for cell in cells)
    return same_length or _form(name) in map(_form, cells)


def _form(text: str) -> str:
    """Return how a text is written: a word for each word, a digit for each number."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text))


def _told_by(name: str, cells: Sequence[str]) -> int:
    """Return how much tells that a field is a name: what it says, and that cells below are values.

    Args:
        name: The field.
        cells: The cells below it.
    """
    if not name or is_value(name) or means_missing(name):
        return 0
    _, of_one_word = _contract_names()
    return (snake(name) in of_one_word) + (bool(cells) and all(map(is_value, cells)))
