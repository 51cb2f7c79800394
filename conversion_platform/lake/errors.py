"""What DuckDB says when a file is damaged or gone, or room runs out, in words that help."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from conversion_platform.errors import LakeError
from conversion_platform.lake.storage import Storage, disk_full

if TYPE_CHECKING:
    import duckdb

# DuckDB names the file in the first two; the others come from inside a file, without its name.
NOT_PARQUET = re.compile(r"(?:magic bytes found at end of file|File) '([^']+)'(?: too small)?")
GONE = re.compile(r'No files found that match the pattern "([^"]+)"')
INSIDE = re.compile(r"know what type|TProtocol|thrift|decompress|zstd|parquet|corrupt", re.I)
NO_ROOM = re.compile(r"No space left|File too large|max_temp_directory_size|Disk quota")


def lake_error(
    error: duckdb.Error, storage: Storage, handed_out: Sequence[str]
) -> LakeError | None:
    """The readable form of `error`, or None when it does not tell of files or room.

    Args:
        error: What DuckDB raised.
        storage: The lake's storage; errors about other places are left alone.
        handed_out: Files that the lake named to DuckDB; they are looked into when the error
            does not say which one is damaged.
    """
    import duckdb

    text = str(error).partition("\n")[0]
    if NO_ROOM.search(text):
        return disk_full(storage.root)
    if isinstance(error, duckdb.OutOfMemoryException):
        return LakeError(
            f"The work needs more memory than it may use: {text}.",
            "Raise platform.memory_limit, lower platform.threads, or run fewer days at once.",
        )
    if (gone := GONE.search(text)) and gone[1] in handed_out:
        return LakeError(f"{gone[1]} has gone.", "Materialise the stage that writes it again.")
    named = NOT_PARQUET.search(text)
    if named and named[1] in handed_out:
        return damaged(named[1], text)
    if INSIDE.search(text):
        return _find_damaged(storage, handed_out)
    return None


def damaged(file: str, text: str) -> LakeError:
    """The error for a file that is not whole."""
    return LakeError(
        f"{file} is damaged: {text}.",
        "Restore it, or materialise the stage that writes it for that day again "
        "(a file of event_log/ can only be restored).",
    )


def _find_damaged(storage: Storage, files: Sequence[str]) -> LakeError | None:
    import duckdb

    with duckdb.connect(":memory:") as con:
        storage.attach(con)
        for file in files:
            try:
                con.execute("SELECT max(hash(t)) FROM read_parquet($1) AS t", [file])
            except duckdb.Error as error:
                return damaged(file, str(error).partition("\n")[0])
    return None
