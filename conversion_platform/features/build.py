"""Builds the feature tables of a range of days in one run.

The events are read once, into a compact table. Counts over windows are made from it for the
first day; each later day's counts are those of the day before, plus the day that has ended, less
the days that dropped out of a window. Memory grows with the users and with the events of the
range, and a day's rows do not depend on which other days are built with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.features.attributes import (
    AttributeFeature,
    attribute_features,
    attribute_sql,
    kept_value,
)
from conversion_platform.features.builtin import JOB, TEXT_DAYS, USER
from conversion_platform.features.custom import (
    CustomFile,
    custom_files,
    custom_sql,
    run_custom_files,
)
from conversion_platform.features.effects import RESPONSE_EFFECTS, build_effects
from conversion_platform.features.pairs import feature_spec
from conversion_platform.features.sources import (
    attach_days,
    attach_sources,
    change_days,
    require_sources,
)
from conversion_platform.features.spec import Level
from conversion_platform.features.tables import (
    JOB_FEATURES,
    USER_CATEGORY_FEATURES,
    USER_FEATURES,
)
from conversion_platform.features.templates import rendered
from conversion_platform.features.texts import attach_texts
from conversion_platform.features.windows import WINDOW_TABLES, count_first, count_next
from conversion_platform.lake import Session, quoted
from conversion_platform.process import with_progress

if TYPE_CHECKING:
    from datetime import date

    import duckdb

    from conversion_platform.lake import Table, Written

STRETCH_DAYS = 14


def build_features(session: Session, days: DayRange) -> list[Written]:
    """Write `response_effects`, and then the tables of users, jobs and categories, of `days`.

    A feature of day D uses only events known before D 00:00 local time. The rows of a day do not
    depend on which other days are built with it.

    Args:
        session: Settings, lake and DuckDB connection.
        days: Days to build.

    Returns:
        The partitions written, day by day within each table.

    Raises:
        NotReadyError: a source table, or a day of events, is missing.
        SettingsError: a file of custom features is wrong.
    """
    require_sources(session, days)
    attributes = attribute_features(session)
    custom = custom_files(session.settings)
    feature_spec(session)  # refuses a wrong feature file before any work
    written = build_effects(session, days)
    session.lake.view(session.con, RESPONSE_EFFECTS, days, "feature_stored_effects")
    attach_sources(session, days)
    stretches = {stretch.first: stretch for stretch in _stretches(session, days, bool(custom))}
    for day in with_progress(days):
        if day in stretches:
            queries = _queries_of(session, stretches[day], attributes, custom)
        _count(session.con, days, day)
        written += [session.lake.write(session.con, table, query, day) for table, query in queries]
    return sorted(written, key=lambda one: (one.table, str(one.day)))


def _stretches(session: Session, days: DayRange, custom: bool) -> Iterator[DayRange]:
    """Cut a range into parts that are prepared at once.

    A custom file reads users and jobs without days: all days of a part have to see the same ones.
    """
    changes = change_days(session, days) if custom else set()
    first = days.first
    for day in days:
        if day > first and (day in changes or (day - first).days == STRETCH_DAYS):
            yield DayRange(first, day - ONE_DAY)
            first = day
    yield DayRange(first, days.last)


def _queries_of(
    session: Session,
    stretch: DayRange,
    attributes: list[AttributeFeature],
    custom: list[CustomFile],
) -> list[tuple[Table, str]]:
    """Put in place what is made for some days at once, not for a year at once; then the queries."""
    attach_days(session, stretch)
    attach_texts(session, stretch)
    run_custom_files(session, custom, stretch)
    return _queries(session, attributes, custom)


def _count(con: duckdb.DuckDBPyConnection, days: DayRange, day: date) -> None:
    """Brings the counts to `day`: the events are all read for the first day of a range only."""
    for windows in WINDOW_TABLES:
        if day == days.first:
            count_first(con, windows, days)
        else:
            count_next(con, windows, day)
    con.execute(rendered("day", {"day": quoted(day.isoformat())}))
    con.execute(rendered("rates"))
    con.execute(rendered("text_counts", {"days": TEXT_DAYS}))


def _queries(
    session: Session, attributes: list[AttributeFeature], custom: list[CustomFile]
) -> list[tuple[Table, str]]:
    """Return the query of each table, for the day that `feature_day` holds."""
    most = session.settings.features.max_categories
    users = {
        "region": kept_value(session.con, USER, "region", "u", most),
        "shift": kept_value(session.con, USER, "shift", "u", most),
        **_further(session.con, USER, "u", most, attributes, custom),
    }
    jobs = {
        "category": kept_value(session.con, JOB, "category", "d", most),
        "region": kept_value(session.con, JOB, "region", "d", most),
        "shift": kept_value(session.con, JOB, "shift", "d", most),
        **_further(session.con, JOB, "d", most, attributes, custom),
    }
    return [
        (USER_FEATURES, rendered("user_features", users)),
        (JOB_FEATURES, rendered("job_features", jobs)),
        (USER_CATEGORY_FEATURES, rendered("user_category_features")),
    ]


def _further(
    con: duckdb.DuckDBPyConnection,
    level: Level,
    alias: str,
    most: int,
    attributes: list[AttributeFeature],
    custom: list[CustomFile],
) -> dict[str, str]:
    """Return the attribute columns and custom columns of one level."""
    entries = [
        attribute_sql(attribute, alias, kept_value(con, level, attribute.stored, alias, most))
        if attribute.kind == "categorical"
        else attribute_sql(attribute, alias, "")
        for attribute in attributes
        if attribute.feature.level == level
    ]
    columns, joins = custom_sql(con, [file for file in custom if file.level == level], alias)
    return {
        "attributes": "".join(f",\n    {entry}" for entry in entries),
        "custom_columns": "".join(f",\n    {column}" for column in columns),
        "custom_joins": "".join(f"\n{join}" for join in joins),
    }
