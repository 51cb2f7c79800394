"""Which statements the SQL prompt runs: queries, and nothing else.

What a query may open is not decided here: the session is sealed (`analyst_session`), so that a file
beyond the views' own is refused however a query names it. Statements are checked because a sealed
session could still write: COPY and ATTACH work on the files that it may open.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import QueryError

if TYPE_CHECKING:
    import duckdb

READ_ONLY = "The prompt only reads: SELECT, FROM, WITH, DESCRIBE, SUMMARIZE, SHOW, PIVOT, EXPLAIN."
EXPLAIN = re.compile(r"\s*EXPLAIN\b(\s+ANALYZE\b)?(\s*\([^)]*\))?", re.I)


def statements(text: str) -> list[Any]:
    """Return the statements of `text`, each of which is known to be a query.

    Raises:
        QueryError: one is not, or the text is not SQL.
    """
    found = _extracted(text)
    for statement in found:
        _check(statement)
    return found


def _extracted(text: str) -> list[duckdb.Statement]:
    import duckdb

    try:
        return list(duckdb.extract_statements(text))
    except duckdb.Error as error:
        raise QueryError(str(error), "Correct the query and run it again.") from None


def _check(statement: duckdb.Statement) -> None:
    kind = _kind(statement)
    explained = EXPLAIN.match(statement.query)
    if explained and kind in ("EXPLAIN", "MULTI"):
        _check_explained(statement.query[explained.end() :])
    elif kind != "SELECT" and not (kind == "MULTI" and _is_query(statement.query)):
        raise QueryError(f"A statement of the kind {kind} is not run here.", READ_ONLY)


def _kind(statement: duckdb.Statement) -> str:
    try:
        return str(statement.type.name)
    except ValueError:  # a kind of DuckDB that its Python module has no name for
        return "UNKNOWN"


def _check_explained(query: str) -> None:
    """EXPLAIN ANALYZE runs what it explains."""
    if not query.strip() or not statements(query):
        raise QueryError("An EXPLAIN is run without a comment or a bracket after it.", READ_ONLY)


def _is_query(text: str) -> bool:
    """Return whether a statement with a PIVOT in it is a query.

    DuckDB makes several statements of any that has a PIVOT, a COPY among them, and gives no kind to
    the whole; but only a query can stand in brackets.
    """
    try:
        found = _extracted(f"SELECT * FROM (\n{text.strip().rstrip(';')}\n)")
    except QueryError:
        return False
    return len(found) == 1 and _kind(found[0]) == "MULTI"
