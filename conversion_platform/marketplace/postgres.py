"""Stages Postgres tables, read by a server-side cursor, as Parquet in the working folder.

At most one batch is in memory. The DSN never appears in a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import PlatformError, SourceError
from conversion_platform.lake import quoted
from conversion_platform.marketplace.relation import ROW, SOURCE, Relation, staged_relation
from conversion_platform.settings import secret

if TYPE_CHECKING:
    import duckdb
    import psycopg
    import pyarrow as pa

    from conversion_platform.settings import InputSection

BATCH_ROWS = 50_000
CONNECT_SECONDS = 10
# Classes of SQLSTATE that tell of access rules, names, syntax or the server's state.
_OF_THE_QUERY = {"08", "0A", "25", "28", "3D", "3F", "42", "53", "57"}
# What the server says while it reads rows, up to where a value may be. In another language, or of
# a function that raises what it likes, the class of the error has to do.
_BEGINNINGS = re.compile(
    r"invalid input syntax for type (?:smallint|integer|bigint|numeric|real|double precision|date"
    r"|timestamp|timestamp with time zone|time|interval|boolean|uuid|json|bytea|inet)\b"
    r"|division by zero|(?:smallint|integer|bigint) out of range|date/time field value out of range"
    r"|(?:canceling statement|terminating connection) due to [a-z -]+\Z|numeric field overflow"
)


def postgres_relation(
    con: duckdb.DuckDBPyConnection, setting: str, section: InputSection, folder: Path
) -> Relation:
    """Return the relation of a Postgres table or query, read in one read-only transaction.

    Raises:
        SourceError: the server cannot be reached, or it refuses the table or query.
        SettingsError: the environment variable that `dsn_env` names is not set.
    """
    import psycopg

    dsn = secret(section.dsn_env).get_secret_value()
    target = folder / f"{setting}.parquet"
    with (
        _readable_errors(setting, section, _said_of_the_query),
        psycopg.connect(dsn, connect_timeout=CONNECT_SECONDS) as server,
    ):
        server.read_only = True
        _stage(server, setting, section, target)
    found = staged_relation(con, setting, _place(section), target)
    return replace(found, printed=f"SELECT * FROM read_parquet({quoted(target.name)})")


def _stage(
    server: psycopg.Connection[Any], setting: str, section: InputSection, target: Path
) -> None:
    import pyarrow.parquet as pq

    server.execute("SET LOCAL TIME ZONE 'UTC'")
    batches = _batches(server, setting, section)
    first = next(batches)
    with pq.ParquetWriter(target, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)


def _batches(
    server: psycopg.Connection[Any], setting: str, section: InputSection
) -> Iterator[pa.RecordBatch]:
    """Yield the batches of the table: at least one, which may be without rows."""
    import pyarrow as pa
    from psycopg import sql

    names, casts, types = _plan(server, section)
    shown = f"postgres:{section.table or setting}"
    fields = [pa.field(name, kind) for name, kind in zip(names, types, strict=True)]
    schema = pa.schema([*fields, (SOURCE, pa.string()), (ROW, pa.int64())])
    with server.cursor(name="conversion_platform") as cursor:
        cursor.execute(sql.SQL("SELECT {} FROM {}").format(casts, _from(section)))
        while True:
            with _readable_errors(setting, section, _said_of_rows):
                rows = cursor.fetchmany(BATCH_ROWS)
            columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
            arrays = [pa.array(c, t) for c, t in zip(columns, types, strict=True)]
            # Rows of a Postgres table have no order, so they get no number.
            tail = [pa.array([shown] * len(rows), pa.string()), pa.nulls(len(rows), pa.int64())]
            yield pa.record_batch([*arrays, *tail], schema=schema)
            if len(rows) < BATCH_ROWS:
                return


def _plan(
    server: psycopg.Connection[Any], section: InputSection
) -> tuple[list[str], Any, list[Any]]:
    """Return column names, select list and Arrow types; text for types without an equivalent."""
    from psycopg import sql

    described = server.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(_from(section)))
    columns = described.description or []
    native = _native_types() | _array_types(server, [column.type_code for column in columns])
    names, casts, types = [], [], []
    for column in columns:
        kind, wrap = native.get(column.type_code, native[0])
        names.append(column.name)
        casts.append(sql.SQL(wrap).format(sql.Identifier(column.name)))
        types.append(kind)
    return names, sql.SQL(", ").join(casts), types


def _native_types() -> dict[int, tuple[Any, str]]:
    """Return Arrow type and select expression by Postgres type oid; 0 is for all others."""
    import pyarrow as pa

    finite = "CASE WHEN isfinite({0}) THEN {0} END"  # an infinite time means no time
    return {
        0: (pa.string(), "{0}::text"),
        16: (pa.bool_(), "{0}"),
        20: (pa.int64(), "{0}"),
        21: (pa.int64(), "{0}"),
        23: (pa.int64(), "{0}"),
        700: (pa.float64(), "{0}"),
        701: (pa.float64(), "{0}"),
        1082: (pa.date32(), finite),
        1114: (pa.timestamp("us"), finite),
        1184: (pa.timestamp("us", "UTC"), finite),
    }


def _array_types(
    server: psycopg.Connection[Any], oids: Sequence[int]
) -> dict[int, tuple[Any, str]]:
    """Return Arrow type and select expression of those types that are arrays: joined by `|`."""
    import pyarrow as pa

    found = server.execute(
        "SELECT oid FROM pg_type WHERE typcategory = 'A' AND oid = ANY(%s)", [list(oids)]
    ).fetchall()
    joined = (
        "(SELECT string_agg(replace(item::text, '|', '/'), '|' ORDER BY place) "
        "FROM unnest({0}) WITH ORDINALITY AS items (item, place))"
    )
    return {oid: (pa.string(), joined) for (oid,) in found}


def _from(section: InputSection) -> Any:
    from psycopg import sql

    if section.table:
        return sql.Identifier(*section.table.split("."))
    query = (section.query or "").strip().rstrip(";")
    return sql.SQL("({}) AS source").format(sql.SQL(query))


def _place(section: InputSection) -> str:
    return f"table {section.table}" if section.table else "the query"


@contextmanager
def _readable_errors(
    setting: str, section: InputSection, said: Callable[[psycopg.Error], str]
) -> Iterator[None]:
    """Translate what Postgres raises; `said` returns what may be shown of its words."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        # `from None`, as the driver's traceback may show the DSN, and its message a value.
        raise _readable(error, setting, section, said(error)) from None


def _readable(
    error: psycopg.Error, setting: str, section: InputSection, said: str
) -> PlatformError:
    import psycopg

    place = _place(section)
    if error.sqlstate:
        key = "table" if section.table else "query"
        return SourceError(
            f"{setting}: Postgres refuses {place}: {said}.",
            f"Correct {setting}.{key}, or grant SELECT to the user of {section.dsn_env}.",
        )
    if isinstance(error, psycopg.OperationalError):
        return SourceError(
            f"{setting}: the Postgres server that {section.dsn_env} names cannot be reached, "
            "or it ended the connection.",
            "Check that it runs, and the host, port, database, user and password in "
            f"{section.dsn_env}.",
        )
    return SourceError(
        f"{setting}: {place} cannot be read from Postgres ({type(error).__name__}).",
        f"Check {section.dsn_env} (postgresql://user:password@host:port/database), and that no "
        "value is outside Python's range (such as a year after 9999).",
    )


def _said_of_the_query(error: psycopg.Error) -> str:
    """Return what the server says of a query that it prepares: no row is read yet."""
    said, state = error.diag.message_primary or "", error.sqlstate or ""
    return said if state[:2] in _OF_THE_QUERY else _said_of_rows(error)


def _said_of_rows(error: psycopg.Error) -> str:
    """Return what the server says while it reads rows, up to where a value may be.

    A message of any class may hold one: `m::regclass` looks for a relation named by a cell.
    """
    known = _BEGINNINGS.match(error.diag.message_primary or "")
    name = f"{type(error).__name__}, SQLSTATE {error.sqlstate}"
    return f"{known[0]} (a value; {name})" if known else f"a value is refused ({name})"
