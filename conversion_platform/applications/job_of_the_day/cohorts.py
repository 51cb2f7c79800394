"""Cohorts: named SQL predicates over a user's columns and features of the day.

A predicate of the settings becomes part of a query, so it is parsed by DuckDB first. It must be one
expression: no second statement, no subquery (which could read files), no function whose result
changes from run to run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import SettingsError
from conversion_platform.lake import first_line, quoted
from conversion_platform.marketplace import personal_hint

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import CohortSection, Settings

_EMPTY_SELECT = {"EMPTY", None}


def in_order(settings: Settings) -> list[tuple[str, CohortSection]]:
    """Return the cohorts in the order of assignment: by priority, then by name."""
    return sorted(settings.cohorts.items(), key=lambda item: (item[1].priority, item[0]))


def check_predicate(con: duckdb.DuckDBPyConnection, cohort: str, where: str) -> None:
    """Check that a predicate is a single, repeatable expression.

    Raises:
        SettingsError: it is not; the message names the cohort and the reason.
    """
    tree = _parsed(con, where)
    if tree["error"]:
        raise refused(cohort, where, str(tree["error_message"]))
    if not _is_one_expression(tree["statements"]):
        raise refused(cohort, where, "it is not a single expression")
    nodes = list(_nodes(tree["statements"][0]["node"]["select_list"]))
    if any(node.get("class") == "SUBQUERY" for node in nodes):
        raise refused(cohort, where, "it contains a subquery")
    if any(node.get("class") == "PARAMETER" for node in nodes):
        raise refused(cohort, where, "it contains a parameter")
    volatile = sorted({name for node in nodes for name in _called(node)} & _volatile_functions())
    if volatile:
        raise refused(cohort, where, f"{volatile[0]} changes from run to run; `day` does not")


def predicate_nodes(con: duckdb.DuckDBPyConnection, where: str) -> list[dict[str, Any]]:
    """Return every node of a predicate that `check_predicate` let through, as DuckDB parses it."""
    statement = _parsed(con, where)["statements"][0]
    return list(_nodes(statement["node"]["select_list"]))


def _parsed(con: duckdb.DuckDBPyConnection, where: str) -> dict[str, Any]:
    row = con.execute("SELECT json_serialize_sql(?)", [f"SELECT (\n{where}\n)"]).fetchall()[0]
    tree: dict[str, Any] = json.loads(row[0])
    return tree


def add_members(
    con: duckdb.DuckDBPyConnection, cohort: str, where: str, users: str, members: str
) -> None:
    """Add to table `members` the rows of `users` that match and are in no cohort yet.

    Raises:
        SettingsError: the predicate is not valid for these columns; with DuckDB's message.
    """
    import duckdb

    check_predicate(con, cohort, where)
    bind(con, cohort, where, users)
    try:
        con.execute(
            f"""INSERT INTO {members}
                SELECT user_id, {quoted(cohort)} FROM {users} ANTI JOIN {members} USING (user_id)
                WHERE (\n{where}\n)"""
        )
    except duckdb.Error as error:
        raise refused(cohort, where, first_line(error)) from None  # it may quote a user's value


def bind(con: duckdb.DuckDBPyConnection, cohort: str, where: str, users: str) -> None:
    """Check that a predicate is a condition over the columns of table `users`; no row is read.

    Raises:
        SettingsError: it is not; the message names the cohort, and has DuckDB's message.
    """
    import duckdb

    try:
        con.execute(f"DESCRIBE SELECT user_id FROM {users} WHERE (\n{where}\n)")
        described = con.execute(f"DESCRIBE SELECT (\n{where}\n) FROM {users}").fetchall()
    except duckdb.Error as error:
        told = refused(cohort, where, first_line(error, planning=True))
        told.remedy = f"{personal_hint(error)}{told.remedy}"
        raise told from None
    kind = described[0][1].strip('"')
    if kind != "BOOLEAN":
        why = f"it gives a value of type {kind}, and has to be true or false (BOOLEAN)"
        raise refused(cohort, where, why)


def _is_one_expression(statements: list[dict[str, Any]]) -> bool:
    if len(statements) != 1:
        return False
    node = statements[0]["node"]
    return (
        node["type"] == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and (node["from_table"] or {}).get("type") in _EMPTY_SELECT
        and not node["where_clause"]
        and not node["modifiers"]
    )


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object below a node of a parsed query."""
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _called(node: dict[str, Any]) -> list[str]:
    """Return the function that a node calls; `current_date` etc. are parsed as column names."""
    if node.get("class") == "FUNCTION":
        return [str(node["function_name"]).lower()]
    if node.get("class") == "COLUMN_REF" and len(node["column_names"]) == 1:
        name = str(node["column_names"][0]).lower()
        return [name] if name.startswith("current_") else []
    return []


@cache
def _volatile_functions() -> set[str]:
    """Return DuckDB's functions whose result does not depend on their arguments alone."""
    import duckdb

    with duckdb.connect() as con:
        rows = con.execute(
            """SELECT DISTINCT function_name FROM duckdb_functions()
               WHERE function_type = 'scalar' AND stability <> 'CONSISTENT'"""
        ).fetchall()
    named = {"current_timestamp", "current_time", "localtime", "localtimestamp", "ago"}
    return named | {name for (name,) in rows}


def refused(cohort: str, where: str, why: str) -> SettingsError:
    """Return the error for a predicate that cannot be used."""
    return SettingsError(
        f"The cohort `{cohort}` has a predicate that cannot be used: {why.rstrip('.')}.\n"
        f"  cohorts.{cohort}.where = {where!r}",
        "Write one SQL expression of the user's columns, the columns of `user_features` and "
        "`day` (docs/predictions.md shows examples).",
    )
