"""A pipeline of named steps: each is a query that runs in DuckDB, can be printed, and pasted there.

`read` is the source as it is; each later step reads the one before. A step is a view, so rows pass
through several at once, except where rows are needed more than once: it is a table then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from conversion_platform.lake import listed, rendered, sql_file
from conversion_platform.marketplace.errors import source_errors

if TYPE_CHECKING:
    import duckdb

FOLDER = f"{__package__}.sql"
# Characters of a query from which on DuckDB does not look for common parts of it: that takes a
# second for 500 columns, and 16 times as long for four times as many.
_LONG = 20_000


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: Its view or table, in the schema `steps`.
        why: What it is for, in one sentence.
        statement: The SQL that creates it, as it is printed: with nothing that is personal, and
            over the files of the source alone.
    """

    name: str
    why: str
    statement: str


@dataclass
class Pipeline:
    """The steps of one source, on a connection.

    Attributes:
        con: The connection.
        source: `users`, `jobs` or `events`.
        setting: The settings section, for messages.
        place: Name of the source, for messages.
        steps: The steps so far, each of which exists.
    """

    con: duckdb.DuckDBPyConnection
    source: str
    setting: str
    place: str
    steps: list[Step] = field(default_factory=list)

    def named(self, step: str) -> str:
        """Return the name in SQL of one of the steps."""
        return f"steps.{self.source}_{step}"

    def view(self, step: str, why: str, query: str, printed: str | None = None) -> None:
        """Add a step whose rows are computed as they are read.

        Args:
            step: Its name.
            why: What it is for, in one sentence.
            query: Its SQL.
            printed: SQL that is printed in its place.
        """
        self._add("VIEW", step, why, query, printed)

    def table(self, step: str, why: str, query: str, printed: str | None = None) -> None:
        """Add a step whose rows are computed once, like `view`.

        They are in no order: rows are numbered where they are read, and sorted where they are
        written.
        """
        self.con.execute("SET preserve_insertion_order = false")
        try:
            if len(query) > _LONG:
                self.con.execute("SET disabled_optimizers = 'common_subexpressions'")
            self._add("TABLE", step, why, query, printed)
        finally:
            self.con.execute("RESET preserve_insertion_order")
            self.con.execute("RESET disabled_optimizers")

    def file(
        self,
        step: str,
        why: str,
        kept: bool = False,
        template: str | None = None,
        **variables: object,
    ) -> None:
        """Add the step of a .sql file, in which `$source` and the `variables` are filled in.

        Args:
            step: Its name.
            why: What it is for, in one sentence.
            kept: Whether its rows are computed once.
            template: The file, if it has another name.
            variables: Variables of the file.
        """
        query = rendered(FOLDER, template or step, source=self.source, **variables)
        (self.table if kept else self.view)(step, why, query)

    def _add(self, kind: str, step: str, why: str, query: str, printed: str | None) -> None:
        head = f"CREATE OR REPLACE {kind} {self.named(step)} AS\n"
        with source_errors(self.setting, self.place):
            self.con.execute(f"{head}{query.strip()}")
        self.steps.append(Step(self.named(step), why, f"{head}{(printed or query).strip()}"))


@contextmanager
def step_schema(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Create the schema of the steps with its macros, and drop the steps afterwards."""
    known = "SELECT 1 FROM duckdb_schemas() WHERE schema_name = 'steps'"
    if con.execute(known).fetchone() is None:
        con.execute(macros())
        con.execute(f"INSERT INTO steps.zones {_zones()}")
    try:
        yield
    finally:
        _drop(con)


def _drop(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the steps, the last first; macros and zones stay for the next source."""
    for kind in ("view", "table"):
        names = con.execute(
            f"SELECT {kind}_name FROM duckdb_{kind}s() WHERE schema_name = 'steps' "
            f"AND {kind}_name <> 'zones' ORDER BY {kind}_oid DESC"
        ).fetchall()
        for (name,) in names:
            con.execute(f"DROP {kind} IF EXISTS steps.{name}")


def macros() -> str:
    """Return the SQL of the macros that all steps use."""
    return sql_file(FOLDER, "macros")


@cache
def _zones() -> str:
    names = listed(sorted(available_timezones()))
    return f"SELECT name FROM pg_timezone_names() WHERE name IN ({names})"


def _zones_of_duckdb_alone() -> list[str]:
    import duckdb

    with duckdb.connect() as con:
        names = con.execute("SELECT name FROM pg_timezone_names()").fetchall()
    return sorted({name for (name,) in names} - available_timezones())


def script(steps: Sequence[Step]) -> str:
    """Return SQL that does in a bare DuckDB what the steps did.

    Rows of CSV files are those that DuckDB itself can split.
    """
    parts = [
        "SET TimeZone = 'UTC';",
        f"{macros()}\nINSERT INTO steps.zones SELECT name FROM pg_timezone_names()\n"
        f"WHERE name NOT IN ({listed(_zones_of_duckdb_alone())});",
        *(f"-- {step.why}\n{step.statement};" for step in steps),
    ]
    return "\n\n".join(parts) + "\n"
