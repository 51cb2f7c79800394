"""Cohorts checked before any day is run: a name that is wrong should not cost an hour of history.

A predicate is bound to the columns that it will see, without rows. Those of the platform are
declared; an installation's own are in the lake's users or, where these are not there or too old,
in the sources.
"""

from __future__ import annotations

from conversion_platform.applications.job_of_the_day.cohorts import bind, check_predicate, in_order
from conversion_platform.errors import SettingsError
from conversion_platform.features import USER_FEATURES, feature_spec
from conversion_platform.lake import Session
from conversion_platform.marketplace import ATTRIBUTES, JOBS, USERS, passing_session

_TYPES = {"numeric": "FLOAT", "categorical": "VARCHAR"}


def check_cohorts(session: Session, fresh: bool = False) -> None:
    """Refuses a predicate that cannot be used over the columns that the days will have.

    Args:
        session: Settings, lake and DuckDB connection.
        fresh: Whether the lake was loaded a moment ago; else the sources are asked in doubt.

    Raises:
        SettingsError: naming the cohort and what is wrong.
        SourceError: a predicate needs columns of the sources, and they cannot be read.
    """
    for name, cohort in in_order(session.settings):
        check_predicate(session.con, name, cohort.where)  # what no column could make right
    try:
        _bind_all(session)
    except SettingsError:
        if fresh:
            raise
        with passing_session(session.settings) as loaded:
            _bind_all(loaded)


def _bind_all(session: Session) -> None:
    try:
        _bind(session, {})
    except SettingsError:
        _bind(session, _further(session))


def _bind(session: Session, further: dict[str, str]) -> None:
    columns = {**further, **_declared(), "day": "DATE"}
    listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    session.con.execute(f"CREATE OR REPLACE TEMP TABLE people_ahead ({listed})")
    for name, cohort in in_order(session.settings):
        bind(session.con, name, cohort.where, "people_ahead")


def _declared() -> dict[str, str]:
    """The columns that every installation has; a user's column wins over a feature."""
    return {one.name: one.type for one in (*USER_FEATURES.columns, *USERS.columns)}


def _further(session: Session) -> dict[str, str]:
    """The users' attribute columns, and what becomes of them and of one's own features."""
    if not all(session.lake.exists(table) for table in (USERS, JOBS, ATTRIBUTES)):
        return {}
    features = {
        feature.name: _TYPES[feature.kind]
        for feature in feature_spec(session).features
        if feature.level == "user"
    }
    users = session.con.execute(f"DESCRIBE SELECT * FROM {session.lake.select(USERS)}").fetchall()
    return features | {name: kind for name, kind, *_ in users}
