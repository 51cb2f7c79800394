"""What may be shown of a message of DuckDB, Postgres or Arrow: never a value of a row.

An error that is raised while rows are read shows what they say, which may be personal: in quotes
or not, over several lines, with quotes inside. So no pattern can tell where a value ends. What is
shown is put together from what is known: how the message begins, the type and the column. All
else is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_DRIVERS = {"duckdb", "_duckdb", "psycopg", "psycopg2", "pyarrow"}
_PREFIX = re.compile(r"[A-Z][A-Za-z ]+ Error: ")
# Beginnings of messages about a value, up to where the value may be.
_BEGINNINGS = re.compile(
    r"Could not (?:convert|parse|cast|decode) (?:string|value)|Malformed JSON at byte \d+ of input"
    r"|Invalid type specifier|CSV Error on Line: \d+|No magic bytes found at end of file"
    r"|Failed to read file|Unknown TimeZone|Map keys must be unique|Footer length error in file"
    r"|More than one row returned by a subquery used as an expression"
    r"|Invalid string encoding found in Parquet file|Parquet metadata is corrupt"
    r"|Invalid decimal encoding in Parquet file|File (?=.*too small to be a Parquet file)"
    r"|[Ii]nvalid (?:date|time|timestamp) field format"
    r"|(?:date|time|timestamp) field value out of range|extract specifier"
    r"|Type U?INT\d+ with value|Type (?:VARCHAR|FLOAT|DOUBLE) with value"
    r"|Overflow in (?:addition|subtraction|multiplication|division) of U?INT\d+"
    r"|Invalid character encountered in string|Cannot cast list with length|Failure in decode"
    r"|Unimplemented type for cast|Invalid input for hex digit"
)
_QUERY = re.compile(r"\n\nLINE \d+: [^\n]*\n *\^+\s*\Z")
# A quote ends every value, so a name without one at the end of the message is a column.
_COLUMN = re.compile(r"(?s:.*) when casting from source column ([^\n'\"]+)\Z")
_TYPE = re.compile(
    r" (?:to|type) (U?INT(?:8|16|32|64|128)|BOOL|FLOAT|DOUBLE|DECIMAL\(\d{1,2},\d{1,2}\)|DATE|TIME"
    r"|TIMESTAMP|UUID|INTERVAL|BIGNUM)\Z"
)


def first_line(error: duckdb.Error, planning: bool = False) -> str:
    """Return what an error says in one line, without DuckDB's prefix and without any value.

    Every message of DuckDB that reaches a person goes through here.

    Args:
        error: The error.
        planning: Whether the query was only prepared. Then names that it does not find are those
            of the query; while rows are read, a function may have made them of a value.
    """
    import duckdb

    text = _PREFIX.sub("", str(error).strip(), count=1)
    before_rows = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
    of_files = isinstance(error, (duckdb.IOException, duckdb.OutOfMemoryException))
    if of_files or type(error) is duckdb.Error or (planning and isinstance(error, before_rows)):
        return text.partition("\n")[0]
    return _about_a_value(text, error)


def _about_a_value(text: str, error: BaseException) -> str:
    """Return how a message begins, with the type and the column that it ends in."""
    begins = _BEGINNINGS.match(text)
    if begins is None:
        return f"a value is refused ({type(error).__name__})"
    shown = f"{begins[0].strip()} (a value)"
    if len(found := _QUERY.split(text)) == 1:
        return shown + _to_type(text)
    column = _COLUMN.match(found[0])
    if column is None:
        return shown + _to_type(found[0])
    cast = found[0][: column.start(1)].removesuffix(" when casting from source column ")
    return f"{shown}{_to_type(cast)} when casting from source column {column[1]}"


def _to_type(text: str) -> str:
    found = _TYPE.search(text)
    return f" to {found[1]}" if found else ""


def hide_values(error: BaseException) -> None:
    """Take the values of rows out of an error and of all that caused it.

    For errors that nothing translates: Dagster's log and a traceback show the whole chain. Class
    and traceback stay, so that a defect can still be found.
    """
    for one in _chain(error):
        if any(base.__module__.partition(".")[0] in _DRIVERS for base in type(one).__mro__):
            one.args = (_shown(one),)


class ValuesHidden(AbstractContextManager[None]):
    """Hides values in what is raised inside, which goes on as it is."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            hide_values(error)


def _shown(error: BaseException) -> str:
    import duckdb

    if isinstance(error, duckdb.Error):
        return first_line(error)
    return f"a value is refused ({type(error).__name__})"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and, once each, all errors that it was raised from or during."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            waiting += [one.__cause__, one.__context__]
            yield one
