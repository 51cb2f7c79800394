"""Cohorts checked before any day is run: a name that is wrong should not cost an hour of history.

A predicate is bound to the columns that it will see, without rows. Those of the platform are
declared; an installation's own are in the lake's users or, where these are not there or too old,
in the sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversion_platform.applications.job_of_the_day.cohorts import bind, check_predicate, in_order
from conversion_platform.errors import SettingsError
from conversion_platform.features import USER_FEATURES, feature_spec
from conversion_platform.marketplace import ATTRIBUTES, JOBS, USERS, passing_lake

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake import Lake
    from conversion_platform.settings import Settings

_TYPES = {"numeric": "FLOAT", "categorical": "VARCHAR"}


def check_cohorts(lake: Lake, settings: Settings, fresh: bool = False) -> None:
    """Refuses a predicate that cannot be used over the columns that the days will have.

    Args:
        lake: Its users and jobs tell the installation's own columns, if they are there.
        settings: The cohorts.
        fresh: Whether the lake was loaded a moment ago; else the sources are asked in doubt.

    Raises:
        SettingsError: naming the cohort and what is wrong.
        SourceError: a predicate needs columns of the sources, and they cannot be read.
    """
    with lake.session(reading=True) as con:
        for name, cohort in in_order(settings):
            check_predicate(con, name, cohort.where)  # what no column could make right
    try:
        _bind_all(lake, settings)
    except SettingsError:
        if fresh:
            raise
        with passing_lake(settings) as loaded:
            _bind_all(loaded, settings)


def _bind_all(lake: Lake, settings: Settings) -> None:
    with lake.session(reading=True) as con:
        try:
            _bind(con, settings, {})
        except SettingsError:
            _bind(con, settings, _further(con, lake, settings))


def _bind(con: duckdb.DuckDBPyConnection, settings: Settings, further: dict[str, str]) -> None:
    columns = {**further, **_declared(), "day": "DATE"}
    listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE people_ahead ({listed})")
    for name, cohort in in_order(settings):
        bind(con, name, cohort.where, "people_ahead")


def _declared() -> dict[str, str]:
    """The columns that every installation has; a user's column wins over a feature."""
    return {one.name: one.type for one in (*USER_FEATURES.columns, *USERS.columns)}


def _further(con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings) -> dict[str, str]:
    """The users' attribute columns, and what becomes of them and of one's own features."""
    if not all(lake.exists(table) for table in (USERS, JOBS, ATTRIBUTES)):
        return {}
    features = {
        feature.name: _TYPES[feature.kind]
        for feature in feature_spec(con, lake, settings).features
        if feature.level == "user"
    }
    users = con.execute(f"DESCRIBE SELECT * FROM {lake.select(USERS)}").fetchall()
    return features | {name: kind for name, kind, *_ in users}
