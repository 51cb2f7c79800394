"""Which tables a query of the settings reads, by DuckDB's own parser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb


def tables_of(con: duckdb.DuckDBPyConnection, query: str) -> frozenset[str] | None:
    """Return the names, in small letters, of the tables and views that a query reads.

    Args:
        con: Any connection: the query is parsed only.
        query: A SELECT, or what may stand in its place.

    Returns:
        The names; none where the query cannot be parsed; None where the parser does not tell (a
        PIVOT whose columns depend on the rows).
    """
    row = con.execute("SELECT json_serialize_sql(?)", [f"SELECT * FROM ({query}\n)"]).fetchall()[0]
    tree = json.loads(row[0])
    if tree["error"]:
        return frozenset() if tree["error_type"] == "parser" else None
    return frozenset(_tables(tree["statements"], frozenset()))


def _tables(node: Any, hidden: frozenset[str]) -> Iterator[str]:
    """Yield the tables below a node of the syntax tree.

    Args:
        node: A node, or a list of such.
        hidden: Names of common table expressions: they hide tables of the same names.
    """
    if isinstance(node, list):
        for one in node:
            yield from _tables(one, hidden)
    elif isinstance(node, dict):
        if node.get("type") == "BASE_TABLE" and node["table_name"].lower() not in hidden:
            yield node["table_name"].lower()
        for expression in node.get("cte_map", {}).get("map", []):
            yield from _tables(expression["value"], hidden)  # its own name is that of a table here
            hidden |= {expression["key"].lower()}
        for name, child in node.items():
            if name != "cte_map":
                yield from _tables(child, hidden)
