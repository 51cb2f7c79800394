"""Dagster's rows in SQLite, with fewer syncs of the disk: a long range writes thousands of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


@contextmanager
def fewer_syncs() -> Iterator[None]:
    """Spare the disk most of its syncs while rows are written through SQLAlchemy to SQLite.

    Dagster opens a connection for each row, and SQLite folds its journal into the database each
    time that the last one closes; one that stays open spares that. With `synchronous = NORMAL` a
    killed process still loses no row of a database with a journal (WAL), and a power cut only the
    last ones. Other databases stay as they are.
    """
    held: dict[str, sqlite3.Connection] = {}

    def connected(connection: Any, _record: Any) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        file = connection.execute("PRAGMA database_list").fetchone()[2]
        if mode != "wal":
            return
        connection.execute("PRAGMA synchronous = NORMAL")
        if file not in held:
            held[file] = sqlite3.connect(file, check_same_thread=False)
            held[file].execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the journal

    event.listen(Engine, "connect", connected)
    try:
        yield
    finally:
        event.remove(Engine, "connect", connected)
        for connection in held.values():
            connection.close()
