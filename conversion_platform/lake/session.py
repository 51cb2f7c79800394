"""One object for what work over rows needs: the settings, the lake and a DuckDB connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conversion_platform.lake.lake import Lake, open_lake
from conversion_platform.settings import Settings

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Session:
    """What the functions of a stage work with.

    Attributes:
        settings: The settings in force.
        lake: The tables of this installation.
        con: A DuckDB connection that can read the lake; temporary tables and views live on it.
    """

    settings: Settings
    lake: Lake
    con: duckdb.DuckDBPyConnection

    @contextmanager
    def cursor(self) -> Iterator[Session]:
        """Open this session on a cursor: temporary names of its own on the same database."""
        with closing(self.con.cursor()) as cursor:
            cursor.execute("SET TimeZone = 'UTC'")  # a cursor does not inherit it
            yield replace(self, con=cursor)

    def at(self, lake: Lake) -> Session:
        """Return this session over another lake, such as a scratch copy."""
        return replace(self, lake=lake)


@contextmanager
def open_session(settings: Settings, reading: bool = False) -> Iterator[Session]:
    """Open the lake that the settings name, with a connection of its own.

    Args:
        settings: The settings in force.
        reading: Whether the session only reads: a folder without a lake stays as it is.
    """
    lake = open_lake(settings)
    with lake.connect(reading) as con:
        yield Session(settings, lake, con)
