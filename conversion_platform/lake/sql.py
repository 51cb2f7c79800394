"""SQL text from values: literals, lists and the registration of Arrow tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.days import day_start
from conversion_platform.errors import SettingsError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

WILDCARD = re.compile(r"[*?\[]")


@contextmanager
def registered(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> Iterator[None]:
    """Lets SQL of this session read `rows` as `name` meanwhile."""
    con.register(name, rows)
    try:
        yield
    finally:
        con.unregister(name)


def quoted(text: str) -> str:
    """Return a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def escape_glob(location: str) -> str:
    """Return a file's location so that DuckDB takes no character of it for a wildcard."""
    if location.startswith("s3://"):
        return location
    return WILDCARD.sub(lambda found: f"[{found[0]}]", location)


def file_sql(location: str | Path) -> str:
    """Return the SQL literal by which one file is read."""
    return quoted(escape_glob(str(location)))


def require_plain_folders(place: str, setting: str) -> None:
    """Make sure that no folder on the way to a place has a name that DuckDB takes apart.

    Below `a=b` it would give every row the column `a`, in place of one that the table has; a
    backslash it takes for the end of a folder's name.

    Raises:
        SettingsError: one has.
    """
    if found := re.search(r"[^/]*[=\\][^/]*", place):
        raise SettingsError(
            f"{setting}: the folder {found[0]!r} on the way to {place} cannot be used: in a file's "
            "place, `=` stands between a column and its value, and a backslash between folders.",
            "Use a folder without `=` and backslash in its name.",
        )


def listed(texts: Iterable[str]) -> str:
    """Return SQL literals for `IN (...)`; NULL, which nothing is in, where there is none."""
    return ", ".join(map(quoted, texts)) or "NULL"


def instant(day: date, zone: str) -> str:
    """Return SQL literal of the moment at which calendar day `day` begins in `zone`."""
    return f"TIMESTAMPTZ {quoted(day_start(day, zone).isoformat())}"
