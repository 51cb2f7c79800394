"""What DuckDB raises when a file, the disk or memory fails, as errors of our own.

DuckDB gives a failed write, a missing file and a damaged file the same `IOException`, so
`failure_of` reads the message. It is the only place of the package that decides by the text of
an error; its cases are tested against the real conditions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from conversion_platform.errors import (
    DamagedFileError,
    DiskFullError,
    LakeError,
    MemoryLimitError,
    MissingFileError,
)
from conversion_platform.lake.masking import first_line
from conversion_platform.lake.sql import escape_glob

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake.storage import Storage


class Kind(Enum):
    """What an error of DuckDB tells of."""

    DISK_FULL = auto()
    OUT_OF_MEMORY = auto()
    FILE_MISSING = auto()
    FILE_DAMAGED = auto()
    FILE_CLOSED = auto()
    GZIP_CUT = auto()
    COLUMN_UNKNOWN = auto()
    OTHER = auto()


@dataclass(frozen=True)
class Failure:
    """What an error of DuckDB tells of.

    Attributes:
        kind: What failed.
        file: The file that DuckDB names; None where it names none.
        column: The column that a query names and no table has; None if it is about none.
        table: The table that a query names and that does not exist; None if it is about none.
    """

    kind: Kind
    file: str | None
    column: str | None = None
    table: str | None = None


_DISK_FULL = re.compile(r"No space left|File too large|max_temp_directory_size|Disk quota")
_MISSING = re.compile(r'No files found that match the pattern "([^"]+)"')
_GZIP = re.compile(r"Unexpected end of GZIP stream")
_CLOSED = re.compile(r'Cannot open file "([^"]+)": Permission denied')
# Raised while a page inside a file is read; most of these do not name the file.
_INSIDE = re.compile(
    r"know what type|TProtocol|invalid TType|Out of buffer|thrift|decompress|zstd|parquet|corrupt",
    re.I,
)
# The same as an InvalidInputException. A function raises that with any text, so only what DuckDB
# begins with counts, and the file is what follows at once: a value may stand behind it.
_DAMAGED = re.compile(
    r"Invalid Input Error: (?:(?:No magic bytes found at end of file|Failed to read file"
    r"|Footer length error in file|Invalid string encoding found in Parquet file|File)"
    r" [\"']([^'\"\n]+)[\"']|Parquet metadata is corrupt|Invalid decimal encoding in Parquet file)"
)
_COLUMN = re.compile(r'column(?: named)? "([^"]+)"', re.I)
_TABLE = re.compile(r'Table with name "?([^"\s]+)"? does not exist')
_NAMED = re.compile(r"""(?:file|stream)[:= ]+["']?([^"'\n]+\.[A-Za-z0-9.]+)["']?""")


def failure_of(error: duckdb.Error, of_query: bool = False) -> Failure:
    """Tell what an error of DuckDB is about, from its class and its message.

    Only classes that DuckDB raises for files, the disk and memory are searched for these: the
    message of another one holds values of rows, which may look like a file or say anything.

    Args:
        error: The error.
        of_query: Whether a person's query ran, whose functions may raise any text as an
            InvalidInputException. That tells of no file then.
    """
    import duckdb

    text = str(error).partition("\n")[0]
    if isinstance(error, duckdb.BinderException) and (unknown := _COLUMN.search(text)):
        return Failure(Kind.COLUMN_UNKNOWN, None, unknown[1])
    if isinstance(error, duckdb.CatalogException) and (unknown := _TABLE.search(text)):
        return Failure(Kind.OTHER, None, table=unknown[1])
    if isinstance(error, duckdb.OutOfMemoryException):
        return Failure(Kind.DISK_FULL if _DISK_FULL.search(text) else Kind.OUT_OF_MEMORY, None)
    if isinstance(error, duckdb.InvalidInputException):
        damaged = None if of_query else _DAMAGED.match(text)
        return Failure(Kind.FILE_DAMAGED, damaged[1]) if damaged else Failure(Kind.OTHER, None)
    if isinstance(error, duckdb.IOException) or type(error) is duckdb.Error:
        return _of_files(text)
    return Failure(Kind.OTHER, None)


def _of_files(text: str) -> Failure:
    """Tell what a message is about that DuckDB gives an error of files alone."""
    named = _NAMED.search(text)
    file = named[1] if named else None
    if _DISK_FULL.search(text):
        return Failure(Kind.DISK_FULL, file)
    if missing := _MISSING.search(text):
        return Failure(Kind.FILE_MISSING, missing[1])
    if _GZIP.search(text):
        return Failure(Kind.GZIP_CUT, file)
    if closed := _CLOSED.search(text):
        return Failure(Kind.FILE_CLOSED, closed[1])
    if _INSIDE.search(text):
        return Failure(Kind.FILE_DAMAGED, file)
    return Failure(Kind.OTHER, file)


@contextmanager
def readable_errors(storage: Storage, handed_out: set[str]) -> Iterator[None]:
    """Raise what DuckDB says of lake files, the disk and memory as a LakeError.

    Args:
        storage: The lake's storage.
        handed_out: Files that the lake named to DuckDB; errors about other files pass through.
            They are read one by one where the error does not say which one is damaged.

    Raises:
        LakeError: DiskFullError, MemoryLimitError, MissingFileError or DamagedFileError.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        readable = _lake_error(error, storage, sorted(handed_out))
        if readable is None:
            raise
        # A cause would be shown with the message, in Dagster's log too: values of rows in it.
        raise readable from None


def _lake_error(
    error: duckdb.Error, storage: Storage, handed_out: Sequence[str]
) -> LakeError | None:
    failure = failure_of(error)
    if failure.kind is Kind.DISK_FULL:
        return disk_full(storage.root)
    if failure.kind is Kind.OUT_OF_MEMORY:
        return MemoryLimitError(
            f"The work needs more memory than it may use: {first_line(error)}.",
            "Raise platform.memory_limit, lower platform.threads, or run fewer days at once.",
        )
    if failure.kind is Kind.FILE_MISSING:
        asked = {escape_glob(file): file for file in handed_out}
        return missing_file(asked[failure.file]) if failure.file in asked else None
    if failure.kind is Kind.FILE_CLOSED:
        return closed_file(failure.file) if failure.file in handed_out else None
    if failure.kind is Kind.FILE_DAMAGED:
        if failure.file and failure.file in handed_out:
            return damaged_file(failure.file, first_line(error))
        return _find_damaged(storage, handed_out)
    return None


def disk_full(place: str) -> DiskFullError:
    """Return the error for a full disk at `place`."""
    return DiskFullError(
        f"The disk that holds {place} is full; the partition that was there is unchanged.",
        "Free space (or move platform.lake), then run the same days again.",
    )


def missing_file(location: str) -> MissingFileError:
    """Return the error for a file that was listed and is no longer there, or never was."""
    return MissingFileError(
        f"{location} does not exist.", "Materialise the stage that writes it for that day again."
    )


def closed_file(location: str | None) -> LakeError:
    """Return the error for a file that this user of the machine may not open."""
    return LakeError(
        f"{location} may not be opened by this user.",
        "Files of personal tables are for the user that runs the platform: run the command as "
        "that user, or leave out --personal.",
    )


def damaged_file(location: str, text: str) -> DamagedFileError:
    """Return the error for a file that cannot be read whole."""
    return DamagedFileError(
        f"{location} is damaged: {text}.",
        "Restore it, or materialise the stage that writes it for that day again "
        "(a file of event_log/ can only be restored).",
    )


def _find_damaged(storage: Storage, files: Sequence[str]) -> DamagedFileError | None:
    """Read every file until one fails."""
    import duckdb

    with duckdb.connect(":memory:") as con:
        storage.attach(con)
        for file in files:
            try:
                con.execute("SELECT max(hash(t)) FROM read_parquet($1) AS t", [escape_glob(file)])
            except duckdb.Error as error:
                return damaged_file(file, first_line(error))
    return None
