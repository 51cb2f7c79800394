"""What there is to read: every table of the lake and every type of the log, with its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from conversion_platform import (
    features,
    inference,
    marketplace,
    messaging,
    metrics,
    monitoring,
    training,
)
from conversion_platform.applications import job_of_the_day
from conversion_platform.event_log import EVENT_TYPES
from conversion_platform.lake import Column, Table

STAGES: dict[str, tuple[Table, ...]] = {
    "marketplace": marketplace.TABLES,
    "features": features.TABLES,
    "training": training.TABLES,
    "monitoring": monitoring.TABLES,
    "inference": inference.TABLES,
    "applications.job_of_the_day": job_of_the_day.TABLES,
    "messaging": messaging.TABLES,
    "metrics": metrics.TABLES,
}


@dataclass(frozen=True)
class CatalogEntry:
    """One view of `attach_views`.

    Attributes:
        name: Of the view.
        kind: A table of the lake, a type of the log, or a view over the documents of the registry.
        description: One sentence.
        columns: Columns that are always there; `dt` included where there is one file a day.
        stage: The stage that declares it.
        open_ended: Whether there may be more columns (attributes of the source).
        personal: Whether it exists only where personal tables are asked for.
    """

    name: str
    kind: Literal["table", "log", "registry"]
    description: str
    columns: tuple[Column, ...]
    stage: str
    open_ended: bool = False
    personal: bool = False


def lake_tables() -> dict[str, tuple[Table, ...]]:
    """Return the tables that each stage declares, in the order of the stages."""
    return STAGES


def viewed_tables(personal: bool = False) -> tuple[Table, ...]:
    """Return the tables that have a view, in the order of the stages.

    Args:
        personal: Whether personal tables are among them.
    """
    tables = (table for declared in lake_tables().values() for table in declared)
    return tuple(table for table in tables if personal or not table.personal)


def personal_columns() -> dict[str, str]:
    """Return the declared columns that lie in personal tables alone, each with its table."""
    shown = {column.name for table in viewed_tables() for column in table.columns}
    return {
        column.name: table.name
        for table in reversed(viewed_tables(personal=True))
        for column in table.columns
        if table.personal and column.name not in shown
    }


def catalog() -> tuple[CatalogEntry, ...]:
    """Every lake table, log type and view of the registry."""
    tables = [
        CatalogEntry(
            table.name,
            "table",
            table.description,
            table_columns(table),
            stage,
            table.open_ended,
            table.personal,
        )
        for stage, declared in lake_tables().items()
        for table in declared
    ]
    logs = [
        CatalogEntry(kind.view, "log", kind.description, (*kind.columns, TYPE, DAY), "event_log")
        for kind in EVENT_TYPES
    ]
    registry = [
        CatalogEntry(view.name, "registry", view.description, view.columns, "training")
        for view in training.REGISTRY_VIEWS
    ]
    return (*tables, *logs, *registry)


TYPE = Column("event_type", "VARCHAR", "The type, from the folder's name.")
DAY = Column("dt", "DATE", "The local day, from the folder's name.")


def table_columns(table: Table) -> tuple[Column, ...]:
    """Return a table's columns as its view has them."""
    return (*table.columns, DAY) if table.daily else table.columns
