"""DuckDB views over the lake and the log, for a person with questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversion_platform.catalog.tables import viewed_tables
from conversion_platform.event_log import EVENT_TYPES, EventType, log_files, select_log
from conversion_platform.lake import Session, quoted
from conversion_platform.training import REGISTRY_VIEWS

if TYPE_CHECKING:
    import duckdb


SHARED = ("user_id", "job_id", "assignment_id", "message_id", "model_version")


def attach_views(session: Session, personal: bool = False) -> list[str]:
    """Put a view in place for every lake table, log type and part of the registry.

    `event_log` is over all types of the log. What has no files has its columns and no row.

    Args:
        session: Settings, lake and DuckDB connection.
        personal: Whether personal tables are among them.

    Returns:
        The names of the views.
    """
    zone = quoted(session.settings.platform.time_zone)
    session.con.execute(
        f"CREATE OR REPLACE TEMP MACRO local_day(moment) AS (moment AT TIME ZONE {zone})::DATE"
    )
    names = []
    for table in viewed_tables(personal):
        _create(session.con, table.name, f"SELECT * FROM {session.lake.select(table)}")
        names.append(table.name)
    for kind in EVENT_TYPES:
        _create(
            session.con,
            kind.view,
            f"SELECT * FROM {select_log(session.lake, kind, log_files(session.lake, kind))}",
        )
        names.append(kind.view)
    _create(session.con, "event_log", " UNION ALL ".join(_common(kind) for kind in EVENT_TYPES))
    for view in REGISTRY_VIEWS:
        _create(session.con, view.name, view.select(session.lake))
        names.append(view.name)
    return [*names, "event_log"]


def _create(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    con.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {query}')


def _common(kind: EventType) -> str:
    own = {column.name for column in kind.own_columns}
    shared = [f'"{name}"' if name in own else f'NULL::VARCHAR AS "{name}"' for name in SHARED]
    return (
        f"SELECT event_id, event_type, dt, occurred_at, recorded_at, {', '.join(shared)}, "
        f'"{kind.detail}" AS detail FROM {kind.view}'
    )
