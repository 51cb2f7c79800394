"""SQL text: .sql files and their variables, literals, lists, and Arrow tables as views."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from conversion_platform.days import ONE_DAY, DayRange, day_start, offsets
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


@cache
def sql_file(package: str, name: str) -> str:
    """Return the text of `NAME.sql` in a package (`__package__`), or in a folder of it."""
    return (files(package) / f"{name}.sql").read_text(encoding="utf-8")


def rendered(package: str, name: str, **variables: object) -> str:
    """Return the SQL of `NAME.sql` in a package with its `$variables` filled in.

    The one way in which SQL is composed: a file is a query that can be read as a whole, and a
    variable stands for SQL (a literal made by `quoted`, a list of columns, a table).
    """
    return Template(sql_file(package, name)).substitute(variables)


def identifier(name: str) -> str:
    """Return a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


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


def local_day(time: str, zone: str, usual: DayRange) -> str:
    """Return SQL of the calendar day in `zone` of a time (SQL of a TIMESTAMPTZ).

    Within `usual` days the zone's few offsets stand in the SQL: asking the calendar for every row
    takes twenty times as long.
    """
    first, end = instant(usual.first, zone), instant(usual.last + ONE_DAY, zone)
    offset = " ".join(
        f"WHEN {time} < TIMESTAMPTZ {quoted(until.isoformat())} THEN {seconds}"
        for until, seconds in offsets(usual, zone)
    )
    shifted = f"make_timestamp(epoch_us({time}) + CAST(1000000 AS BIGINT) * CASE {offset} END)"
    return (
        f"CASE WHEN {time} >= {first} AND {time} < {end} THEN CAST({shifted} AS DATE) "
        f"ELSE CAST(timezone({quoted(zone)}, {time}) AS DATE) END"
    )
