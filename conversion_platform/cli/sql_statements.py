"""Which statements the SQL prompt runs: queries of the views, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import QueryError

if TYPE_CHECKING:
    import duckdb

READ_ONLY = "The prompt only reads: SELECT, FROM, WITH, DESCRIBE, SUMMARIZE, SHOW, PIVOT, EXPLAIN."
EXPLAIN = re.compile(r"\s*EXPLAIN\b(\s+ANALYZE\b)?(\s*\([^)]*\))?", re.I)
# PIVOT becomes several statements inside DuckDB; COPY (PIVOT ...) does too.
PIVOT = re.compile(r"\s*(PIVOT|UNPIVOT|WITH|SELECT|FROM|\()", re.I)
FILE_WORDS = re.compile(r"read_\w+\s*\"?\(|\.parquet|\bglob\s*\(", re.I)
TABLE_FUNCTIONS = {"range", "generate_series", "unnest", "repeat", "repeat_row"}
ABOUT_THE_SESSION = ("duckdb_columns", "duckdb_functions", "duckdb_views", "duckdb_tables")


def statements(con: duckdb.DuckDBPyConnection, text: str) -> list[Any]:
    """Return the statements of `text`, each of which is known to be a query of the views.

    Raises:
        QueryError: one is not, or the text is not SQL.
    """
    import duckdb

    try:
        found = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise QueryError(str(error), "Correct the query and run it again.") from None
    for statement in found:
        _check(con, statement)
    return list(found)


def _check(con: duckdb.DuckDBPyConnection, statement: Any) -> None:
    kind = statement.type.name
    if kind == "SELECT":
        _check_sources(con, statement.query)
    elif kind == "EXPLAIN":
        _check_explained(con, statement.query)
    elif kind != "MULTI" or not PIVOT.match(statement.query):
        raise QueryError(f"A statement of the kind {kind} is not run here.", READ_ONLY)
    elif FILE_WORDS.search(statement.query):
        raise _not_a_view("a file")


def _check_explained(con: duckdb.DuckDBPyConnection, query: str) -> None:
    """EXPLAIN ANALYZE runs what it explains."""
    explained = EXPLAIN.match(query)
    inner = query[explained.end() :] if explained else ""
    if not inner.strip():
        raise QueryError("An EXPLAIN with a comment in front is not run here.", READ_ONLY)
    statements(con, inner)


def _check_sources(con: duckdb.DuckDBPyConnection, query: str) -> None:
    """Refuse files, by function or by name: the views hide what is personal, files do not."""
    answer = con.execute("SELECT json_serialize_sql($1::VARCHAR)", [query]).fetchall()[0][0]
    for node in _nodes(json.loads(answer)):
        kind = node.get("type")
        if kind == "TABLE_FUNCTION":
            name = str(node["function"].get("function_name", "")).lower()
            if name not in TABLE_FUNCTIONS and name not in ABOUT_THE_SESSION:
                raise _not_a_view(f"the function {name}()")
        elif kind == "BASE_TABLE" and re.search(r"[/.*]", str(node.get("table_name", ""))):
            raise _not_a_view(f"the file {node['table_name']}")


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from _nodes(part)


def _not_a_view(what: str) -> QueryError:
    return QueryError(f"The prompt reads views, not {what}.", "`.tables` lists the views.")
