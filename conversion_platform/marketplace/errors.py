"""Translates DuckDB's errors about a source into one message: what, where, what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conversion_platform.errors import (
    DiskFullError,
    MemoryLimitError,
    PlatformError,
    SourceError,
)
from conversion_platform.lake import Kind, failure_of

if TYPE_CHECKING:
    import duckdb

# Beginnings of messages of DuckDB's own functions, up to where the value is.
_OF_DUCKDB = re.compile(
    r"Could not \w+ string|Malformed JSON at byte \d+ of input|Invalid type specifier"
    r"|CSV Error on Line: \d+|No magic bytes found at end of file|Failed to read|Unknown TimeZone"
    r"|Map keys must be unique|More than one row returned by a subquery used as an expression"
)


@contextmanager
def source_errors(setting: str, place: str) -> Iterator[None]:
    """Translate DuckDB's errors while a source is read.

    Args:
        setting: The settings section of the source.
        place: Name of the source if DuckDB does not name the file.

    Raises:
        SourceError: the source cannot be read.
        LakeError: the disk is full, or memory ran out.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        # The cause would show personal data in the run's log: the value or line that it is about.
        raise explained(error, setting, place) from None


def explained(error: duckdb.Error, setting: str, place: str) -> PlatformError:
    """Return the platform's error for an error of DuckDB."""
    failure = failure_of(error)
    where = failure.file or place
    if failure.kind is Kind.DISK_FULL:
        return DiskFullError(
            f"The disk filled up while {setting} was read.",
            "Free space below the lake's folder, then run the same days again.",
        )
    if failure.kind is Kind.OUT_OF_MEMORY:
        return MemoryLimitError(
            f"Memory ran out while {setting} was read.",
            "Raise platform.memory_limit, then run the same days again.",
        )
    if failure.kind is Kind.GZIP_CUT:
        return SourceError(
            f"{setting}: {where} is cut off in the middle (the gzip stream does not end).",
            "Copy or export the file again; nothing was loaded.",
        )
    if failure.kind is Kind.FILE_DAMAGED:
        return SourceError(
            f"{setting}: {where} is not a whole Parquet file: {first_line(error)}",
            "It may be cut off or damaged: copy or export it again; nothing was loaded.",
        )
    return SourceError(
        f"{setting}: {where} cannot be read: {first_line(error)}",
        "Correct the file (or the settings of this source), then run again.",
    )


def first_line(error: duckdb.Error) -> str:
    """Return the first line of an error's message, without DuckDB's prefix and without any value.

    An error that is raised while rows are read may show what they say, which may be personal.
    """
    import duckdb

    lines = str(error).strip().splitlines() or [type(error).__name__]
    text = re.sub(r"^[A-Z][A-Za-z ]+ Error: ", "", lines[0])
    if isinstance(error, (*_before_rows(), duckdb.IOException)):
        return text
    if isinstance(error, duckdb.InvalidInputException):
        # Functions write such messages freely: the value stands in them without quotes.
        known = _OF_DUCKDB.match(text)
        return f"{known[0]} (a value)" if known else "a function refuses a value"
    return without_values(text)


def _before_rows() -> tuple[type[Exception], ...]:
    """Return the errors of a query that DuckDB raises before it reads a row."""
    import duckdb

    return duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException


def without_values(text: str) -> str:
    """Return a database's message without quoted texts and numbers, which may be values of rows."""
    text = re.sub(r"'.*'|\".*\"", "(a value)", text)
    return re.sub(r"(?<!\w)-?\d[\d.:/-]{2,}", "(a value)", text)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint such as ' Did you mean `user_id`?', or an empty string."""
    by_lower = {item.lower(): item for item in known}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.5)
    return f" Did you mean `{by_lower[close[0]]}`?" if close else ""
