"""What there is to read: every table of the lake and every type of the log, with its columns."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from conversion_platform.event_log.types import EVENT_TYPES
from conversion_platform.lake import Column, Table

# By name: metrics stands to the right of this room, and the catalog only reads what it declares.
ROOMS = (
    "marketplace",
    "features",
    "training",
    "monitoring",
    "inference",
    "applications.job_of_the_day",
    "messaging",
    "metrics",
)


@dataclass(frozen=True)
class CatalogEntry:
    """One view of `attach_views`.

    Attributes:
        name: Of the view.
        kind: A table of the lake, or a type of the log.
        description: One sentence.
        columns: Columns that are always there; `dt` included where there is one file a day.
        room: The room that declares it.
        open_ended: Whether there may be more columns (attributes of the source).
    """

    name: str
    kind: Literal["table", "log"]
    description: str
    columns: tuple[Column, ...]
    room: str
    open_ended: bool = False


def lake_tables() -> dict[str, tuple[Table, ...]]:
    """The tables that each room declares in its `tables.py`, in the order of the stages."""
    return {room: _declared(room) for room in ROOMS}


def _declared(room: str) -> tuple[Table, ...]:
    module = import_module(f"conversion_platform.{room}.tables")
    found = {value.name: value for value in vars(module).values() if isinstance(value, Table)}
    return tuple(found.values())


def catalog() -> tuple[CatalogEntry, ...]:
    """Every lake table and log type."""
    tables = [
        CatalogEntry(
            table.name, "table", table.description, table_columns(table), room, table.open_ended
        )
        for room, declared in lake_tables().items()
        for table in declared
    ]
    logs = [
        CatalogEntry(kind.view, "log", kind.description, (*kind.columns, TYPE, DAY), "event_log")
        for kind in EVENT_TYPES
    ]
    return (*tables, *logs)


TYPE = Column("event_type", "VARCHAR", "The type, from the folder's name.")
DAY = Column("dt", "DATE", "The local day, from the folder's name.")


def table_columns(table: Table) -> tuple[Column, ...]:
    """A table's columns as its view has them."""
    return (*table.columns, DAY) if table.daily else table.columns
