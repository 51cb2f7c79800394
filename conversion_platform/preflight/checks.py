"""The list of all checks, in the order in which what they find is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.applications.job_of_the_day import check_members, check_predicates
from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import Finding, SettingsError
from conversion_platform.features import USER_FEATURES, build_features, check_custom_files
from conversion_platform.lake import Session, quoted
from conversion_platform.marketplace import USERS
from conversion_platform.messaging import Outcomes, check_outcomes, check_templates
from conversion_platform.preflight.events import check_events
from conversion_platform.preflight.mapping import check_mapping
from conversion_platform.preflight.messages import try_messages_of_members
from conversion_platform.preflight.places import check_places
from conversion_platform.preflight.trial import Trial
from conversion_platform.settings import Settings

if TYPE_CHECKING:
    import duckdb


def check_settings(settings: Settings, today: date) -> list[Finding]:
    """Check what the settings alone say.

    Args:
        settings: The settings.
        today: The calendar day in the platform's time zone.
    """
    import duckdb

    with duckdb.connect() as con:
        return [
            *check_places(settings),
            *_of_zones(settings, con),
            *_of_start(settings, today),
            *check_mapping(settings),
            *check_predicates(con, settings),
            *check_templates(settings),
            *_of_nobody(settings),
        ]


@dataclass(frozen=True)
class Tried:
    """What came of trying a day.

    Attributes:
        findings: Errors and warnings.
        messages: Messages tried, by cohort and by the reason for which they would not go; empty
            where an error came before.
    """

    findings: list[Finding]
    messages: Outcomes


def check_data(trial: Trial) -> Tried:
    """Try a day on data: events, features, cohorts, messages.

    Args:
        trial: The data. What `check_settings` finds wrong with cohorts is left out here.

    Raises:
        SettingsError: a file of custom features is wrong in a way that no single file shows.
    """
    session = trial.session
    found = [*(check_events(trial) if trial.temporary else ()), *_of_files(trial)]
    found += _of_attribute_names(session)
    if _has_errors(found) or check_predicates(session.con, session.settings):
        return Tried(found, {})
    if trial.temporary:
        build_features(session, DayRange.of(trial.day))
    found += check_members(session, trial.day)
    if _has_errors(found) or check_templates(session.settings):
        return Tried(found, {})
    outcomes = try_messages_of_members(session, trial.day)
    return Tried([*found, *check_outcomes(outcomes)], outcomes)


def _has_errors(found: list[Finding]) -> bool:
    return any(not one.warning for one in found)


def _of_files(trial: Trial) -> list[Finding]:
    """Run the files of custom features for two days."""
    start = trial.session.settings.platform.start_date
    days = DayRange(max(trial.day - ONE_DAY, start), trial.day)
    return check_custom_files(trial.session, days)


def _of_attribute_names(session: Session) -> Iterator[Finding]:
    """Warn of users' columns that a cohort's predicate cannot tell from another value."""
    own = {column.name for column in USERS.columns}
    columns = session.con.sql(f"FROM {session.lake.select(USERS)} LIMIT 0").columns
    features = {column.name for column in USER_FEATURES.columns} - {"user_id"}
    effects = {
        **dict.fromkeys(features, "which is the name of a feature: a predicate reads the column"),
        "day": "and in a predicate `day` is the day of the run",
    }
    for name in columns:
        if name not in own and name in effects:
            yield Finding.warn(
                "sources.users",
                f"sources.users has a column `{name}`, {effects[name]}.",
                "Rename it in the source, or with sources.users.sql.",
            )


def _of_zones(settings: Settings, con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """Find zones that Python knows and DuckDB does not."""
    known = {name for (name,) in con.execute("SELECT name FROM pg_timezone_names()").fetchall()}
    sources = settings.sources
    named = {
        "platform.time_zone": settings.platform.time_zone,
        "sources.users.time_zone": sources.users.time_zone,
        "sources.jobs.time_zone": sources.jobs.time_zone,
        "sources.events.time_zone": sources.events.time_zone,
    }
    for setting, zone in named.items():
        if zone is not None and zone not in known:
            yield Finding(
                setting,
                SettingsError(
                    f"`{setting}` = {quoted(zone)} is a time zone that DuckDB does not know.",
                    "Name it as IANA does, such as America/Chicago.",
                ),
            )


def _of_start(settings: Settings, today: date) -> Iterator[Finding]:
    start = settings.platform.start_date
    if start > today:
        yield Finding(
            "platform.start_date",
            SettingsError(
                f"`platform.start_date` = {start} lies in the future: no day can be run.",
                "Set it to the first day with source data.",
            ),
        )


def _of_nobody(settings: Settings) -> Iterator[Finding]:
    """Warn of values by which nobody gets a message."""
    if settings.job_of_the_day.holdout_share == 1:
        yield Finding.warn(
            "job_of_the_day.holdout_share",
            "`job_of_the_day.holdout_share` = 1: every user is held out, and gets no message.",
            "Set a smaller share, unless that is meant.",
        )
    for name, cohort in settings.cohorts.items():
        for key, value in (("size", 0), ("min_probability", 1.0)):
            if getattr(cohort, key) == value:
                yield Finding.warn(
                    f"cohorts.{name}.{key}",
                    f"`cohorts.{name}.{key}` = {value}: no user of the cohort gets a message.",
                    "Correct it, unless that is meant.",
                )
