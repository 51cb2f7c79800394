"""Reads users and jobs as a day saw them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.lake import Session, identifier, not_ready, quoted, rendered
from conversion_platform.marketplace.history.tables import HISTORIES, History

if TYPE_CHECKING:
    from conversion_platform.lake import Lake, Select, Table

FIRST_DAY, NO_END = date(1, 1, 1), date(9999, 12, 31)


def require_history(lake: Lake) -> None:
    """Make sure that users and jobs were captured.

    Raises:
        NotReadyError: naming the table.
    """
    for history in HISTORIES.values():
        lake.require(history.current)
        if not lake.days(history.table):
            raise not_ready(history.table, "No day has been captured yet.")


def versions(
    lake: Lake,
    table: Table,
    attributes: Mapping[str, str] | None = None,
    select: Select | None = None,
) -> str:
    """Return SQL (a parenthesised query) of the versions of each user, or job.

    Columns: the id, what is kept of a row, the attributes; `from_day`, the first day on which the
    version counts, and `to_day`, the first on which it does not any more.

    Args:
        lake: The lake.
        table: USERS_HISTORY or JOBS_HISTORY.
        attributes: Attributes that are wanted, with the DuckDB type that each has now: one whose
            kind changed meanwhile is NULL where it does not fit.
        select: How the table is read, if not whole: some users alone, say.
    """
    history, days = HISTORIES[table.name], lake.days(table)
    attributes = attributes or {}
    columns = [f"captured.{identifier(column.name)}" for column in history.columns]
    columns += [_attribute(name, kind, history.key) for name, kind in attributes.items()]
    firsts = [
        f"min(dt) FILTER ({identifier(name)} IS NOT NULL) AS {identifier(name)}"
        for name in attributes
    ]
    query = rendered(
        __package__,
        "sql/versions",
        columns=", ".join(columns),
        captured=with_attributes((select or lake.select)(table), attributes),
        listed=", ".join(firsts or ["count(*)"]),
        key=history.key,
        first_captured=quoted((days[0] if days else FIRST_DAY).isoformat()),
        first_day=quoted(FIRST_DAY.isoformat()),
        no_end=quoted(NO_END.isoformat()),
    )
    return f"({query})"


def _attribute(name: str, kind: str, key: str) -> str:
    """Return SQL of an attribute; before it was captured, of the first value of the user or job."""
    name = identifier(name)
    first = (
        f"arg_min(captured.{name}, (valid_from, dt)) "
        f"FILTER (captured.{name} IS NOT NULL) OVER (PARTITION BY {key})"
    )
    value = f"CASE WHEN dt < listed.{name} THEN {first} ELSE captured.{name} END"
    return f"TRY_CAST({value} AS {kind}) AS {name}"


def as_of(
    lake: Lake,
    table: Table,
    day: date,
    attributes: Mapping[str, str] | None = None,
    select: Select | None = None,
) -> str:
    """Return SQL (a parenthesised query) of the users, or jobs, as `day` saw them.

    Args:
        lake: The lake.
        table: USERS_HISTORY or JOBS_HISTORY.
        day: The day.
        attributes: As for `versions`.
        select: As for `versions`.
    """
    return (
        "(SELECT * EXCLUDE (from_day, to_day) FROM "
        f"{versions(lake, table, attributes, select)} "
        f"WHERE from_day <= DATE '{day}' AND to_day > DATE '{day}')"
    )


def shown_as_of(
    lake: Lake, table: Table, day: date, attributes: Mapping[str, str] | None = None
) -> str:
    """Return SQL like `as_of`, without personal columns: for what other people write queries of.

    Args:
        lake: The lake.
        table: USERS_HISTORY or JOBS_HISTORY.
        day: The day.
        attributes: As for `versions`.
    """
    seen = as_of(lake, table, day, attributes)
    personal = [identifier(column.name) for column in table.columns if column.personal]
    return f"(SELECT * EXCLUDE ({', '.join(personal)}) FROM {seen})" if personal else seen


def with_attributes(rows: str, attributes: Mapping[str, str]) -> str:
    """Return SQL (a parenthesised query) over rows in which each attribute exists."""
    if not attributes:
        return rows
    missing = ", ".join(
        f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in attributes.items()
    )
    return f"(SELECT * FROM {rows} UNION ALL BY NAME SELECT {missing} WHERE false)"


def attribute_types(session: Session, table: Table) -> dict[str, str]:
    """Return the attributes of users, or jobs, in the newest snapshot, with their DuckDB types."""
    days = session.lake.days(table)
    newest = session.lake.select(table, DayRange.of(days[-1])) if days else table.empty_select()
    declared = {*(column.name for column in table.columns), "dt"}
    return _types(session, newest, declared)


def valued_types(session: Session, history: History, until: date) -> dict[str, str]:
    """Return the attributes that have a value in the snapshots up to a day, with their types.

    They were captured by then, whether they are listed today or not.
    """
    rows = session.lake.select(history.table, DayRange(FIRST_DAY, until))
    types = _types(session, rows, {*(column.name for column in history.table.columns), "dt"})
    if not types:
        return {}
    counts = ", ".join(f"count({identifier(name)})" for name in types)
    found = session.con.execute(f"SELECT {counts} FROM {rows}").fetchone() or ()
    return {name: types[name] for name, count in zip(types, found, strict=True) if count}


def present_types(session: Session, history: History) -> dict[str, str]:
    """Return the attributes that the checked table has now, with their DuckDB types."""
    declared = {column.name for column in history.current.columns}
    return _types(session, session.lake.select(history.current), declared)


def _types(session: Session, rows: str, declared: Collection[str]) -> dict[str, str]:
    described = session.con.execute(f"DESCRIBE SELECT * FROM ({rows})").fetchall()
    return {name: kind for name, kind, *_ in described if name not in declared}


def ever_known(lake: Lake, table: Table) -> str:
    """Return SQL (a parenthesised query) of all ids that were ever captured.

    Columns: the id; `known_from`, the first day on which it counts, NULL for those of the first
    snapshot, which were always known; `known_at_times`, whether `known_spans` has more to say.
    """
    key, days = HISTORIES[table.name].key, lake.days(table)
    first = days[0] if days else FIRST_DAY
    known = "FILTER (present IS NOT NULL)"
    return (
        f"(SELECT {key}, CASE WHEN min(dt) {known} > DATE '{first}' "
        f"THEN min(valid_from) {known} END AS known_from, "
        "bool_or(present IS NULL) AS known_at_times "
        f"FROM {lake.select(table)} GROUP BY {key} HAVING count(present) > 0)"
    )


def known_spans(lake: Lake, table: Table, ids: str) -> str:
    """Return SQL (a parenthesised query) of when ids count as known, each in one row or more.

    Columns: the id; `_cp_known_from` and `_cp_known_until`, the first day on which it does not.

    Args:
        lake: The lake.
        table: USERS_HISTORY or JOBS_HISTORY.
        ids: SQL (a parenthesised query) of the ids.
    """
    days = lake.days(table)
    query = rendered(
        __package__,
        "sql/known_spans",
        key=HISTORIES[table.name].key,
        captured=lake.select(table),
        ids=ids,
        first_captured=quoted((days[0] if days else FIRST_DAY).isoformat()),
        first_day=quoted(FIRST_DAY.isoformat()),
        no_end=quoted(NO_END.isoformat()),
    )
    return f"({query})"
