"""Checks the cohorts' predicates before a run: a mistake would else be found after hours.

A predicate is parsed, bound to the columns that it will have, and tried on every user: a cast that
fails for one of them fails the day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.applications.job_of_the_day.assign import people_query
from conversion_platform.applications.job_of_the_day.cohorts import (
    add_members,
    check_predicate,
    in_order,
    predicate_nodes,
)
from conversion_platform.applications.job_of_the_day.literals import (
    check_literals,
    quoting_hint,
)
from conversion_platform.days import DayRange
from conversion_platform.errors import Finding, SettingsError
from conversion_platform.features import USER_FEATURES, feature_spec
from conversion_platform.lake import Session, identifier

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import Settings

PEOPLE = "tried_users"
MEMBERS = "tried_members"
_TYPES = {"numeric": "FLOAT", "categorical": "VARCHAR"}


def check_predicates(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[Finding]:
    """Check every cohort's predicate as far as that needs no columns.

    Args:
        con: Any connection.
        settings: The settings with the cohorts.
    """
    found = []
    for name, cohort in in_order(settings):
        try:
            check_predicate(con, name, cohort.where)
        except SettingsError as error:
            found.append(Finding(_setting(name), error))
    return found


def check_members(session: Session, day: date) -> list[Finding]:
    """Try every cohort's predicate on all users, with their features of a day.

    Leaves the temporary tables PEOPLE (users with their columns, features and `day`) and MEMBERS
    (user_id, cohort), as an assignment of the day would have them.

    Args:
        session: Settings, lake and DuckDB connection; each predicate passes `check_predicates`.
        day: The day; features that the lake lacks are NULL.

    Raises:
        NotReadyError: users, jobs or attributes have not been loaded.
        SettingsError: a file of custom features is wrong.
    """
    con = session.con
    people = people_query(session, day, _typed_features(session, day))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {PEOPLE} AS {people}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE {MEMBERS} (user_id VARCHAR, cohort VARCHAR)")
    found: list[Finding] = []
    for name, cohort in in_order(session.settings):
        found += _of_cohort(session, name, cohort.where)
    return found


def _of_cohort(session: Session, name: str, where: str) -> Iterator[Finding]:
    con, setting = session.con, _setting(name)
    nodes = predicate_nodes(con, where)
    columns = {row[0]: row[1] for row in con.execute(f"DESCRIBE {PEOPLE}").fetchall()}
    compared = list(check_literals(con, name, where, nodes, columns, PEOPLE))
    if wrong := [one for one in compared if not one.warning]:
        yield from wrong
        return
    try:
        add_members(con, name, where, PEOPLE, MEMBERS)
    except SettingsError as error:
        hint = quoting_hint(where, nodes, columns)
        yield Finding(setting, SettingsError(error.problem, hint + error.remedy))
        return
    yield from compared
    row = con.execute(f"SELECT count(*) FROM {PEOPLE} WHERE (\n{where}\n)").fetchone()
    if row and not row[0]:
        yield Finding.warn(
            setting,
            f"No user is in the cohort `{name}` today: {setting} = {where!r}.",
            "Correct it, unless that is meant.",
        )


def _typed_features(session: Session, day: date) -> str:
    """Return SQL of the features of users of a day, in which each that a day will have exists."""
    kinds = {
        one.name: _TYPES[one.kind] for one in feature_spec(session).features if one.level == "user"
    }
    kinds |= {column.name: column.type for column in USER_FEATURES.columns}
    missing = ", ".join(f"NULL::{kind} AS {identifier(name)}" for name, kind in kinds.items())
    return (
        f"(SELECT * FROM {session.lake.select(USER_FEATURES, DayRange.of(day))} "
        f"UNION ALL BY NAME SELECT {missing} WHERE false)"
    )


def _setting(cohort: str) -> str:
    return f"cohorts.{cohort}.where"
