"""Small sources for the tests of this package: tables written as files beside a settings file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from conversion_platform.days import DayRange
from conversion_platform.lake import Session, Table, open_session
from conversion_platform.marketplace import JOBS as JOBS_TABLE
from conversion_platform.marketplace import (
    JOBS_CONTACTS,
    REJECTED_EVENTS,
    REJECTED_EVENTS_UNDATED,
    REJECTED_EVENTS_UNDATED_VALUES,
    REJECTED_EVENTS_VALUES,
    REJECTED_JOBS,
    REJECTED_JOBS_VALUES,
    REJECTED_USERS,
    REJECTED_USERS_VALUES,
    USERS_CONTACTS,
    USERS_PROTECTED,
    Loaded,
    capture_both,
    infer_attributes,
    load_events,
    load_jobs,
    load_users,
)
from conversion_platform.marketplace import USERS as USERS_TABLE
from conversion_platform.settings import Settings, load_settings

DAYS = DayRange(date(2026, 1, 2), date(2026, 1, 4))

USERS = "SELECT unnest([1, 2]) AS user_id, '2026-01-01T05:00:00Z' AS created_at"
JOBS = "SELECT unnest([10, 20]) AS job_id, '2026-01-01T05:00:00Z' AS opened_at"
EVENTS = """
SELECT * FROM (VALUES
    ('a', 1, 10, 'impression', '2026-01-02T15:00:00Z'),
    ('b', 1, 10, 'application', '2026-01-02T16:00:00Z'),
    ('c', 2, 20, 'impression', '2026-01-03T15:00:00Z')
) e(event_id, user_id, job_id, event_type, occurred_at)
"""


def write_parquet(query: str, target: Path) -> Path:
    """Writes the rows of a query to a Parquet file."""
    return _write(query, target, "FORMAT parquet")


def write_csv(query: str, target: Path, delimiter: str = ",") -> Path:
    """Writes the rows of a query to a CSV file (`.gz` by its name)."""
    return _write(query, target, f"FORMAT csv, HEADER, DELIMITER '{delimiter}'")


def write(query: str, target: Path) -> Path:
    """Writes the rows of a query to a file of the kind that its name says."""
    return (write_parquet if target.suffix == ".parquet" else write_csv)(query, target)


def _write(query: str, target: Path, form: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with _opened().cursor() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"COPY ({query}) TO '{target}' ({form})")
    return target


@cache
def _opened() -> duckdb.DuckDBPyConnection:
    """A database that is opened once: to open one takes longer than to write a small file."""
    return duckdb.connect()


@dataclass
class World:
    """A settings file in a folder, with sources beside it."""

    folder: Path
    toml: str = ""

    @property
    def settings(self) -> Settings:
        file = self.folder / "conversion_platform.toml"
        file.write_text(f'[platform]\nstart_date = "2026-01-01"\n{self.toml}')
        return load_settings(file)

    def fill(self, users: str = USERS, jobs: str = JOBS, events: str = EVENTS) -> World:
        """Writes the three sources in their default places."""
        write_parquet(users, self.folder / "source/users.parquet")
        write_parquet(jobs, self.folder / "source/jobs.parquet")
        write_parquet(events, self.folder / "source/events/all.parquet")
        return self

    @contextmanager
    def session(self) -> Iterator[Session]:
        with open_session(self.settings) as session:
            yield session

    def load_users(self) -> Loaded:
        """Loads users alone."""
        with self.session() as session:
            return load_users(session)

    def attributes(self) -> None:
        """Load users and jobs, and read the kinds of their further columns."""
        with self.session() as session:
            load_users(session)
            load_jobs(session)
            infer_attributes(session)

    def load_jobs(self) -> Loaded:
        """Loads jobs alone."""
        with self.session() as session:
            return load_jobs(session)

    def load(self, days: DayRange = DAYS) -> tuple[Loaded, Loaded, Loaded]:
        """Loads all three sources."""
        with self.session() as session:
            users, jobs = load_users(session), load_jobs(session)
            capture_both(session, days)
            infer_attributes(session)
            return users, jobs, load_events(session, days)

    def rows(self, table: Table, columns: str = "*", order: str = "ALL") -> list[tuple[Any, ...]]:
        """Rows of a lake table, with what its personal tables keep apart."""
        with self.session() as session:
            found: list[tuple[Any, ...]] = session.con.execute(
                f"SELECT {columns} FROM {whole(session, table)} ORDER BY {order}"
            ).fetchall()
            return found

    def columns(self, table: Table) -> list[str]:
        """Columns of a lake table alone."""
        with self.session() as session:
            found = session.con.execute(f"DESCRIBE SELECT * FROM {session.lake.select(table)}")
            return [name for name, *_ in found.fetchall()]

    def reasons(self, table: Table) -> dict[str, str]:
        """Reason code by the first value of each rejected source row."""
        return {
            str(next(iter(json.loads(row).values()))): reason
            for row, reason in self.rows(table, "row_json, reason")
        }


APART = {
    USERS_TABLE: (USERS_CONTACTS, USERS_PROTECTED),
    JOBS_TABLE: (JOBS_CONTACTS,),
    REJECTED_USERS: (REJECTED_USERS_VALUES,),
    REJECTED_JOBS: (REJECTED_JOBS_VALUES,),
    REJECTED_EVENTS: (REJECTED_EVENTS_VALUES,),
    REJECTED_EVENTS_UNDATED: (REJECTED_EVENTS_UNDATED_VALUES,),
}


def whole(session: Session, table: Table) -> str:
    """SQL of a table joined to its personal tables: what the source said of each row."""
    parts = [session.lake.select(part) for part in (table, *APART.get(table, ()))]
    keys = table.key if table not in REJECTS else ("source", "row_number", "reason")
    day = ("dt",) if table.daily else ()
    joined = f" INNER JOIN {{}} USING ({', '.join((*keys, *day))})"
    return f"(SELECT * FROM {parts[0]} {''.join(joined.format(part) for part in parts[1:])})"


REJECTS = (REJECTED_USERS, REJECTED_JOBS, REJECTED_EVENTS, REJECTED_EVENTS_UNDATED)


def values(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """SQL of rows given as SQL literals by column; what is not given is NULL."""
    lines = ", ".join(
        "(" + ", ".join(row.get(column, "NULL") for column in columns) + ")" for row in rows
    )
    return f"SELECT * FROM (VALUES {lines}) AS v({', '.join(columns)})"
