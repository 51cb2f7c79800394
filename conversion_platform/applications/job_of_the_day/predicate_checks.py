"""Checks the cohorts' predicates before a run: a wrong name would else be found after hours.

A predicate is bound to the columns of its query, without rows. The platform's columns are declared;
an installation's further columns are in the lake's users or, if these do not exist or are outdated,
in the sources.
"""

from __future__ import annotations

from conversion_platform.applications.job_of_the_day.cohorts import bind, check_predicate, in_order
from conversion_platform.errors import SettingsError
from conversion_platform.features import USER_FEATURES, feature_spec
from conversion_platform.lake import Session
from conversion_platform.marketplace import (
    ATTRIBUTES,
    USERS_HISTORY,
    attribute_types,
    temporary_session,
)

_OF_SNAPSHOTS = ("valid_from", "present")
_TYPES = {"numeric": "FLOAT", "categorical": "VARCHAR"}


def check_cohorts(session: Session, just_loaded: bool = False) -> None:
    """Check that every predicate is valid for the columns that the days will have.

    Args:
        session: Settings, lake and DuckDB connection.
        just_loaded: Whether the lake was just loaded; if not, the sources are read on failure.

    Raises:
        SettingsError: a predicate cannot be used; the message names the cohort and the reason.
        SourceError: a predicate needs columns of the sources, and they cannot be read.
    """
    for name, cohort in in_order(session.settings):
        check_predicate(session.con, name, cohort.where)  # errors that do not depend on columns
    try:
        _bind_all(session)
    except SettingsError:
        if just_loaded:
            raise
        with temporary_session(session.settings) as loaded:
            _bind_all(loaded)


def _bind_all(session: Session) -> None:
    try:
        _bind(session, {})
    except SettingsError:
        _bind(session, _further(session))


def _bind(session: Session, further: dict[str, str]) -> None:
    columns = {**further, **_declared(), "day": "DATE"}
    listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    session.con.execute(f"CREATE OR REPLACE TEMP TABLE cohort_columns ({listed})")
    for name, cohort in in_order(session.settings):
        bind(session.con, name, cohort.where, "cohort_columns")


def _declared() -> dict[str, str]:
    """Return the columns that every installation has; a user's column wins over a feature."""
    kept = (one for one in USERS_HISTORY.columns if one.name not in _OF_SNAPSHOTS)
    return {one.name: one.type for one in (*USER_FEATURES.columns, *kept)}


def _further(session: Session) -> dict[str, str]:
    """Return the attributes of users, and the features made from attributes and custom features."""
    if not (session.lake.exists(ATTRIBUTES) and session.lake.days(USERS_HISTORY)):
        return {}
    features = {
        feature.name: _TYPES[feature.kind]
        for feature in feature_spec(session).features
        if feature.level == "user"
    }
    return features | attribute_types(session, USERS_HISTORY)
