"""Translates DuckDB's errors about a source into one message: what, where, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conversion_platform.errors import (
    DiskFullError,
    MemoryLimitError,
    PlatformError,
    SourceError,
)
from conversion_platform.lake import Kind, failure_of, first_line

if TYPE_CHECKING:
    import duckdb


@contextmanager
def source_errors(setting: str, place: str, of_query: bool = False) -> Iterator[None]:
    """Translate DuckDB's errors while a source is read.

    Args:
        setting: The settings section of the source.
        place: Name of the source if DuckDB does not name the file.
        of_query: Whether a query of the settings runs: its functions may raise any value.

    Raises:
        SourceError: the source cannot be read.
        LakeError: the disk is full, or memory ran out.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        # The cause would show personal data in the run's log: the value or line that it is about.
        raise explained(error, setting, place, of_query) from None


def explained(
    error: duckdb.Error, setting: str, place: str, of_query: bool = False
) -> PlatformError:
    """Return the platform's error for an error of DuckDB."""
    failure = failure_of(error, of_query)
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


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint such as ' Did you mean `user_id`?', or an empty string."""
    by_lower = {item.lower(): item for item in known}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.5)
    return f" Did you mean `{by_lower[close[0]]}`?" if close else ""
