"""Reads and writes whole partitions through DuckDB.

A partition is exactly one file, written aside and then moved into place, so a crash leaves
the old partition or the new one. Days are listed and pruned here, and DuckDB is handed explicit
files: globbing over folders is slow on S3.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_platform.days import DayRange
from conversion_platform.errors import LakeError, NotReadyError
from conversion_platform.lake.storage import Storage, disk_full, open_storage
from conversion_platform.lake.table import Table

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import Settings

FILE_NAME = "data.parquet"


@dataclass(frozen=True)
class Written:
    """One partition that was written."""

    table: str
    day: date | None
    rows: int
    bytes: int


class Lake:
    """The tables below one root."""

    def __init__(self, storage: Storage, threads: int = 2, memory_limit: str = "2GB") -> None:
        self.storage = storage
        self._threads = threads
        self._memory_limit = memory_limit

    @contextmanager
    def session(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB connection of its own: UTC, bounded memory, able to read this lake."""
        import duckdb

        spill = self.storage.staging_folder() / "spill"
        with closing(duckdb.connect(":memory:")) as con:
            con.execute("SET TimeZone = 'UTC'")
            con.execute(f"SET threads = {self._threads}")
            con.execute(f"SET memory_limit = '{self._memory_limit}'")
            con.execute(f"SET temp_directory = {quoted(str(spill))}")
            con.execute("SET enable_progress_bar = false")
            self.storage.attach(con)
            yield con

    def key(self, table: Table, day: date | None = None) -> str:
        """The storage key of a partition."""
        if table.daily:
            if day is None:
                raise ValueError(f"{table.name} is daily: a day is needed")
            return f"{table.name}/dt={day.isoformat()}/{FILE_NAME}"
        return f"{table.name}/{FILE_NAME}"

    def days(self, table: Table) -> list[date]:
        """The days that have a partition, in order."""
        keys = self.storage.list(table.name)
        return [date.fromisoformat(key.split("dt=")[1][:10]) for key in keys if "/dt=" in key]

    def exists(self, table: Table, day: date | None = None) -> bool:
        """Whether a partition has been written."""
        return self.key(table, day) in self.storage.list(self.key(table, day).rpartition("/")[0])

    def files(self, table: Table, days: DayRange | None = None) -> list[str]:
        """Locations of the partitions within `days` (all of them if not given)."""
        keys = self.storage.list(table.name)
        if table.daily and days is not None:
            keys = [key for key in keys if date.fromisoformat(key.split("dt=")[1][:10]) in days]
        return [self.storage.location(key) for key in keys]

    def select(self, table: Table, days: DayRange | None = None) -> str:
        """SQL (a parenthesised query) over a table's partitions within `days`.

        A table that has no such partition gives its declared columns and no row.
        """
        files = self.files(table, days)
        if not files:
            return f"({table.empty_select()})"
        listed = ", ".join(quoted(file) for file in files)
        hive = (
            ", hive_partitioning = true, hive_types = {'dt': DATE}"
            if table.daily
            else ", hive_partitioning = false"
        )
        return f"(SELECT * FROM read_parquet([{listed}], union_by_name = true{hive}))"

    def view(
        self,
        con: duckdb.DuckDBPyConnection,
        table: Table,
        days: DayRange | None = None,
        name: str | None = None,
    ) -> None:
        """Puts a table's partitions within `days` in place as a temporary view."""
        con.execute(
            f'CREATE OR REPLACE TEMP VIEW "{name or table.name}" AS {self.select(table, days)}'
        )

    def require(self, table: Table, days: Iterable[date] | None = None) -> None:
        """Makes sure that partitions are there.

        Raises:
            NotReadyError: naming the table and the days that are missing.
        """
        if not table.daily:
            if not self.exists(table):
                raise not_ready(table, "It has not been materialised yet.")
            return
        present = set(self.days(table))
        missing = [day for day in (days or []) if day not in present]
        if missing or not present:
            listed = ", ".join(day.isoformat() for day in missing[:5])
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise not_ready(table, f"Missing days: {listed or 'all'}{more}.")

    def write(
        self, con: duckdb.DuckDBPyConnection, table: Table, query: str, day: date | None = None
    ) -> Written:
        """Replaces one partition by the rows of `query`, sorted by the table's key.

        Raises:
            LakeError: the disk is full; what was there is unchanged.
        """
        order = ", ".join(f'"{column}"' for column in table.key)
        with self.storage.staged() as path:
            rows = self._copy(con, f"SELECT * FROM ({query}) ORDER BY {order}", path)
            size = path.stat().st_size
            self.storage.adopt(path, self.key(table, day))
        return Written(table.name, day, rows, size)

    def write_days(
        self, con: duckdb.DuckDBPyConnection, table: Table, query: str, days: DayRange
    ) -> list[Written]:
        """Replaces every partition in `days` by the rows of one query with a `dt` column.

        The query runs once. A day without rows gets an empty partition.
        """
        con.execute(f'CREATE OR REPLACE TEMP TABLE "_days_of_{table.name}" AS {query}')
        try:
            return [
                self.write(
                    con,
                    table,
                    f'SELECT * EXCLUDE (dt) FROM "_days_of_{table.name}" '
                    f"WHERE dt = DATE '{day.isoformat()}'",
                    day,
                )
                for day in days
            ]
        finally:
            con.execute(f'DROP TABLE IF EXISTS "_days_of_{table.name}"')

    def _copy(self, con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
        import duckdb

        try:
            copied = con.execute(
                f"COPY ({query}) TO {quoted(str(path))} (FORMAT parquet, COMPRESSION zstd)"
            ).fetchone()
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            if "No space left" in str(error) or "max_temp_directory_size" in str(error):
                raise disk_full(self.storage.root) from error
            raise LakeError(
                f"Writing below {self.storage.root} failed: {error}.",
                "Check the disk and platform.memory_limit, then run the same days again.",
            ) from error
        return int(copied[0]) if copied else 0

    def write_json(self, key: str, value: Any) -> None:
        """Replaces a small JSON document, in a form that is the same for the same value."""
        self.storage.replace(key, canonical_json(value))

    def read_json(self, key: str) -> Any:
        """Reads a JSON document.

        Raises:
            LakeError: if it is missing or damaged.
        """
        try:
            return json.loads(self.storage.read(key))
        except json.JSONDecodeError as error:
            raise LakeError(
                f"{self.storage.location(key)} is damaged: {error}.",
                "Materialise the stage that writes it again.",
            ) from error


def canonical_json(value: Any) -> bytes:
    """JSON bytes with sorted keys: equal values give equal bytes."""
    return (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


def quoted(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def not_ready(table: Table, problem: str) -> NotReadyError:
    """The error for an earlier stage that has not run."""
    return NotReadyError(
        f"The table `{table.name}` is not ready. {problem}",
        f"Materialise `{table.name}` for these days first "
        "(`conversion-platform run --from D --to D` does the whole chain).",
    )


def open_lake(settings: Settings, client: Any | None = None) -> Lake:
    """The lake that the settings name."""
    return Lake(
        open_storage(settings.lake_root, client),
        settings.platform.threads,
        settings.platform.memory_limit,
    )
