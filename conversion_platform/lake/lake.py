"""Reads and writes whole partitions through DuckDB.

A partition is exactly one file, written aside and then moved into place, so a crash leaves
the old partition or the new one. Days are listed and pruned here, and DuckDB is handed explicit
files: globbing over folders is slow on S3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from conversion_platform.days import DayRange
from conversion_platform.errors import LakeError, NotReadyError
from conversion_platform.lake.documents import canonical_json
from conversion_platform.lake.errors import damaged_file, readable_errors
from conversion_platform.lake.format import PLATFORM_FOLDER, require_format
from conversion_platform.lake.sql import file_sql, quoted, require_plain_folders, sql_file
from conversion_platform.lake.storage import Storage, open_storage
from conversion_platform.lake.table import Table
from conversion_platform.process import with_progress

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import Settings

FILE_NAME = "data.parquet"
ZONE_KEY = f"{PLATFORM_FOLDER}/time_zone.json"
# Half of DuckDB's own. A thread writes and reads one at a time: with 122,880 rows a table of
# 100,000 users would keep a single core at work.
ROW_GROUP_ROWS = 61_440
_FORM = f"FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, ROW_GROUP_SIZE {ROW_GROUP_ROWS}"
# Differences leave little to compress: a higher level gives no smaller file. Nearly every row group
# has every job: Bloom filters would pass none over.
_DELTA_FORM = f"{_FORM}, COMPRESSION_LEVEL 1, PARQUET_VERSION V2, WRITE_BLOOM_FILTER false"


@dataclass(frozen=True)
class Written:
    """One partition that was written."""

    table: str
    day: date | None
    rows: int
    bytes: int


@dataclass(frozen=True)
class Part:
    """One partition that is to be written.

    Attributes:
        table: Its table.
        query: The query of its rows.
        day: Its day.
        ordered: Whether the query puts the rows in order: there may be a faster way to sort them
            than by the table's columns.
    """

    table: Table
    query: str
    day: date | None = None
    ordered: bool = False


class Lake:
    """The tables below one root."""

    def __init__(self, storage: Storage, threads: int = 2, memory_limit: str = "2GB") -> None:
        self.storage = storage
        self._threads = threads
        self._memory_limit = memory_limit
        self._handed_out: set[str] = set()

    @contextmanager
    def connect(
        self, reading: bool = False, any_format: bool = False
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Return a DuckDB connection of its own: UTC, bounded memory, able to read this lake.

        Args:
            reading: Whether the session only reads: a place that has no lake stays as it is.
            any_format: Whether a lake of another release's format is opened all the same.

        Raises:
            LakeError: the lake is of an earlier format (which has to be migrated) or a later one.
        """
        import duckdb

        if not any_format:
            require_format(self.storage)

        with (
            self.storage.spill_folder(reading) as spill,
            self.readable_errors(),
            closing(duckdb.connect(":memory:")) as con,
        ):
            con.execute("SET TimeZone = 'UTC'")
            con.execute(f"SET threads = {self._threads}")
            con.execute(f"SET memory_limit = '{self._memory_limit}'")
            con.execute(f"SET temp_directory = {quoted(str(spill))}")
            con.execute("SET enable_progress_bar = false")
            con.execute(_point_in_time_macros())
            self.storage.attach(con)
            yield con

    def key(self, table: Table, day: date | None = None) -> str:
        """Return the storage key of a partition."""
        if table.daily:
            if day is None:
                raise ValueError(f"{table.name} is daily: a day is needed")
            return f"{table.folder}/dt={day.isoformat()}/{FILE_NAME}"
        return f"{table.folder}/{FILE_NAME}"

    def location(self, key: str) -> str:
        """Return what DuckDB reads a key by; errors about that file are told as the lake's."""
        location = self.storage.location(key)
        self._handed_out.add(location)
        return location

    def days(self, table: Table) -> list[date]:
        """Return the days that have a partition, in order."""
        return [day for day, _ in self._partitions(table)]

    def exists(self, table: Table, day: date | None = None) -> bool:
        """Whether a partition has been written."""
        return self.key(table, day) in self.storage.list(self.key(table, day).rpartition("/")[0])

    def files(self, table: Table, days: DayRange | None = None) -> list[str]:
        """Locations of the partitions within `days` (all of them if not given)."""
        if table.daily:
            keys = [key for day, key in self._partitions(table) if days is None or day in days]
        else:
            keys = [self.key(table)] if self.exists(table) else []
        if table.personal:
            self.storage.keep_private(keys)
        found = [self.storage.location(key) for key in keys]
        self._handed_out.update(found)
        return found

    def _partitions(self, table: Table) -> list[tuple[date, str]]:
        """Day and key of each partition; whatever else lies in the folder is not ours."""
        pattern = re.compile(
            rf"{re.escape(table.folder)}/dt=(\d{{4}}-\d{{2}}-\d{{2}})/{re.escape(FILE_NAME)}"
        )
        matches = [pattern.fullmatch(key) for key in self.storage.list(table.folder)]
        return [(date.fromisoformat(match[1]), match[0]) for match in matches if match]

    def select(self, table: Table, days: DayRange | None = None) -> str:
        """Return SQL (a parenthesised query) over a table's partitions within `days`.

        A table that has no such partition gives its declared columns and no row. A file that
        is older than a column gives NULL there.
        """
        return _select_files(self.files(table, days), table.empty_select(), table.daily)

    def select_keys(self, keys: Sequence[str], empty: str) -> str:
        """Return SQL (a parenthesised query) over Hive-partitioned Parquet files that are no Table.

        Args:
            keys: Storage keys, with `dt=` in them.
            empty: A query with the declared columns and no row.
        """
        files = [self.storage.location(key) for key in keys]
        self._handed_out.update(files)
        return _select_files(files, empty, hive=True)

    def view(
        self,
        con: duckdb.DuckDBPyConnection,
        table: Table,
        days: DayRange | None = None,
        name: str | None = None,
    ) -> None:
        """Put a table's partitions within `days` in place as a temporary view."""
        con.execute(
            f'CREATE OR REPLACE TEMP VIEW "{name or table.name}" AS {self.select(table, days)}'
        )

    def require(self, table: Table, days: Iterable[date] | None = None) -> None:
        """Make sure that partitions are there.

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
            first = ", ".join(day.isoformat() for day in missing[:5])
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise not_ready(table, f"Missing days: {first or 'all'}{more}.")

    def write(
        self, con: duckdb.DuckDBPyConnection, table: Table, query: str, day: date | None = None
    ) -> Written:
        """Replace one partition by the rows of `query`, in the table's order.

        Raises:
            LakeError: the disk is full; what was there is unchanged.
        """
        with _without_statistics(con):
            return self._write(con, Part(table, query, day))

    def write_parts(self, con: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> list[Written]:
        """Replace partitions, several at a time.

        Sorting and writing a partition of usual size keep one core at work each.

        Args:
            con: The connection. Cursors of it run the queries, so these may not use temporary
                tables.
            parts: The partitions.

        Raises:
            LakeError: the disk is full; every partition is the old one or the new one.
        """
        with _without_statistics(con), ThreadPoolExecutor(min(self._threads, 2)) as pool:
            pending = [pool.submit(self._write_on_cursor, con, part) for part in parts]
            try:
                return [one.result() for one in with_progress(pending, "partitions")]
            finally:
                for one in pending:
                    one.cancel()

    def _write_on_cursor(self, con: duckdb.DuckDBPyConnection, part: Part) -> Written:
        with closing(con.cursor()) as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            return self._write(cursor, part)

    def _write(self, con: duckdb.DuckDBPyConnection, part: Part) -> Written:
        form = _DELTA_FORM if part.table.delta else _FORM
        with self.storage.staged(private=part.table.personal) as path:
            rows = self._copy_out(con, _ordered(part), path, form)
            size = path.stat().st_size
            self.storage.publish(path, self.key(part.table, part.day))
        return Written(part.table.name, part.day, rows, size)

    def write_days(
        self, con: duckdb.DuckDBPyConnection, table: Table, query: str, days: DayRange
    ) -> list[Written]:
        """Replace every partition in `days` by the rows of one query with a `dt` column.

        The query runs once. A day without rows gets an empty partition.
        """
        with self.readable_errors():
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
                for day in with_progress(days)
            ]
        finally:
            con.execute(f'DROP TABLE IF EXISTS "_days_of_{table.name}"')

    def copy_out(self, con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
        """Write a query to a local Parquet file; the same rows in the same order, same bytes.

        Returns:
            The number of rows.

        Raises:
            LakeError: the disk is full.
        """
        with _without_statistics(con):
            return self._copy_out(con, query, path)

    def _copy_out(
        self, con: duckdb.DuckDBPyConnection, query: str, path: Path, form: str = _FORM
    ) -> int:
        with self.readable_errors():
            copied = con.execute(f"COPY ({query}) TO {quoted(str(path))} ({form})").fetchone()
        return int(copied[0]) if copied else 0

    @property
    def handed_out(self) -> list[str]:
        """Every file location that queries of this lake were made over."""
        return sorted(self._handed_out)

    def readable_errors(self) -> AbstractContextManager[None]:
        """Raise DuckDB's errors on this lake's files, the disk and memory as LakeErrors.

        Every connection of `connect` does this by itself.
        """
        return readable_errors(self.storage, self._handed_out)

    def ensure_time_zone(self, zone: str) -> None:
        """Make sure that the days of this lake are those of `zone`; the first call writes it down.

        Days of two zones in one lake would hold the same event twice.

        Raises:
            LakeError: the lake was filled with days of another zone.
        """
        if ZONE_KEY not in self.storage.list(PLATFORM_FOLDER):
            self.storage.create(ZONE_KEY, canonical_json({"time_zone": zone}))
        self.require_time_zone(zone)

    def require_time_zone(self, zone: str) -> None:
        """Make sure that the days of this lake, if it has any, are those of `zone`.

        Raises:
            LakeError: the lake was filled with days of another zone.
        """
        if ZONE_KEY not in self.storage.list(PLATFORM_FOLDER):
            return
        filled = self.read_json(ZONE_KEY)["time_zone"]
        if filled != zone:
            raise LakeError(
                f"The days of the lake at {self.storage.root} are those of {filled}, and "
                f"platform.time_zone is {zone}: the same event would lie on two days.",
                f"Set platform.time_zone = {filled!r} again, or name another folder in "
                "platform.lake and run the days anew.",
            )

    def remove(self, table: Table, day: date) -> None:
        """Remove one partition."""
        self.storage.remove(self.key(table, day))

    def write_json(self, key: str, value: Any) -> None:
        """Replace a small JSON document, in a form that is the same for the same value."""
        self.storage.replace(key, canonical_json(value))

    def read_json(self, key: str) -> Any:
        """Read a JSON document.

        Raises:
            LakeError: if it is missing or damaged.
        """
        try:
            return json.loads(self.storage.read(key))
        except json.JSONDecodeError as error:
            raise damaged_file(self.storage.location(key), str(error)) from error


def _ordered(part: Part) -> str:
    """Return the query of a partition's rows in order."""
    if part.ordered:
        return part.query
    order = ", ".join(f'"{column}"' for column in part.table.order)
    return f"SELECT * FROM ({part.query}) ORDER BY {order}"


@contextmanager
def _without_statistics(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Write the same bytes for the same rows.

    What the optimizer happens to know of NULLs changes a file's encoding: the same rows would have
    other bytes in a run of one day than in a run of many. The setting is the whole database's.
    """
    con.execute("SET disabled_optimizers = 'statistics_propagation'")
    try:
        yield
    finally:
        con.execute("RESET disabled_optimizers")


@cache
def _point_in_time_macros() -> str:
    """Return the macros that say what was known, and how far it is; cursors see them as well."""
    return sql_file(__package__, "point_in_time")


def _select_files(files: Sequence[str], empty: str, hive: bool) -> str:
    """Return SQL (a parenthesised query) over files and the columns of the query `empty`."""
    if not files:
        return f"({empty})"
    folders = "true, hive_types = {'dt': DATE}" if hive else "false"
    locations = ", ".join(map(file_sql, files))
    read = f"read_parquet([{locations}], union_by_name = true, hive_partitioning = {folders})"
    return f"(SELECT * FROM {read} UNION ALL BY NAME {empty})"


def not_ready(table: Table, problem: str) -> NotReadyError:
    """Return the error for an earlier stage that has not run."""
    return NotReadyError(
        f"The table `{table.name}` is not ready. {problem}",
        f"Materialise `{table.name}` for these days first "
        "(`conversion-platform run --from D --to D` does the whole chain).",
    )


class Select(Protocol):
    """How tables are read: `Lake.select`, or a narrower reading of the same tables."""

    def __call__(self, table: Table, days: DayRange | None = None) -> str:
        """Return SQL (a parenthesised query) over a table's partitions within `days`."""


def open_lake(settings: Settings) -> Lake:
    """Return the lake that the settings name.

    Raises:
        SettingsError: a folder above it has a name that DuckDB takes apart.
    """
    require_plain_folders(settings.lake_root, "platform.lake")
    return Lake(
        open_storage(settings.lake_root),
        settings.platform.threads,
        settings.platform.memory_limit,
    )
