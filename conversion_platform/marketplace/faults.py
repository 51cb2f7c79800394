"""Turns what DuckDB says about a source into one message: what, where, what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conversion_platform.errors import LakeError, PlatformError, SourceError

if TYPE_CHECKING:
    import duckdb

_CUT_GZIP = "Unexpected end of GZIP stream"
_NO_ROOM = ("No space left", "max_temp_directory_size")
_DAMAGED = (
    "No magic bytes",
    "too small to be a Parquet file",
    "decompression failure",
    "Failed to read file",
    "TProtocolException",
    "thrift",
    "corrupt",
)


@contextmanager
def source_errors(setting: str, place: str) -> Iterator[None]:
    """Re-raises DuckDB's errors while a source is read.

    Args:
        setting: The settings section of the source.
        place: What to call the source where DuckDB does not name the file.

    Raises:
        SourceError: the source cannot be read.
        LakeError: the disk or the memory ran out on the way.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        # The error behind it would stand in the run's log, with the value or line that it is about.
        raise explained(error, setting, place) from None


def explained(error: duckdb.Error, setting: str, place: str) -> PlatformError:
    """The platform's error for one of DuckDB's."""
    text = str(error)
    where = _file_in(text) or place
    if any(mark in text for mark in _NO_ROOM):
        return LakeError(
            f"The disk filled up while {setting} was read.",
            "Free space below the lake's folder, then run the same days again.",
        )
    if type(error).__name__ == "OutOfMemoryException":
        return LakeError(
            f"Memory ran out while {setting} was read.",
            "Raise platform.memory_limit, then run the same days again.",
        )
    if _CUT_GZIP in text:
        return SourceError(
            f"{setting}: {where} is cut off in the middle (the gzip stream does not end).",
            "Copy or export the file again; nothing was loaded.",
        )
    if any(mark in text for mark in _DAMAGED):
        return SourceError(
            f"{setting}: {where} is not a whole Parquet file: {first_line(error)}",
            "It may be cut off or damaged: copy or export it again; nothing was loaded.",
        )
    return SourceError(
        f"{setting}: {where} cannot be read: {first_line(error)}",
        "Mend the file (or correct the settings of this source), then run again.",
    )


def first_line(error: BaseException) -> str:
    """The first line of an error's text, without DuckDB's prefix.

    A value that does not cast may be personal: it is left out.
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    text = re.sub(r"^[A-Z][A-Za-z ]+ Error: ", "", lines[0])
    if type(error).__name__ == "ConversionException":
        text = re.sub(r"'.*'|\".*\"", "(a value)", text)
    return text


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint such as ' Did you mean `user_id`?', or nothing."""
    by_lower = {item.lower(): item for item in known}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.5)
    return f" Did you mean `{by_lower[close[0]]}`?" if close else ""


def _file_in(text: str) -> str | None:
    found = re.search(r"""(?:file|stream)[:= ]+["']?([^"'\n]+\.[A-Za-z0-9.]+)["']?""", text)
    return found.group(1) if found else None
