"""SQL text from values: literals, lists and the registration of Arrow tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import day_start

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@contextmanager
def registered(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> Iterator[None]:
    """Lets SQL of this session read `rows` as `name` meanwhile."""
    con.register(name, rows)
    try:
        yield
    finally:
        con.unregister(name)


def quoted(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def listed(texts: Iterable[str]) -> str:
    """SQL literals for `IN (...)`; NULL, which nothing is in, where there is none."""
    return ", ".join(map(quoted, texts)) or "NULL"


def instant(day: date, zone: str) -> str:
    """SQL literal of the moment at which calendar day `day` begins in `zone`."""
    return f"TIMESTAMPTZ {quoted(day_start(day, zone).isoformat())}"
