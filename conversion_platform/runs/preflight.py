"""What is checked before a run: mistakes that only a late stage would find."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange, day_of
from conversion_platform.errors import Finding, PlatformError, SourceError
from conversion_platform.lake import Session

if TYPE_CHECKING:
    from conversion_platform.marketplace import SourceReport
    from conversion_platform.settings import Settings


def settings_findings(settings: Settings) -> list[Finding]:
    """Return what is wrong with the settings, as of now."""
    from conversion_platform.preflight import check_settings, folder_problems

    # As `home_path` of runs/instance.py, whose import takes a second for Dagster.
    home = Path(os.environ.get("DAGSTER_HOME") or settings.base / "dagster_home").absolute()
    return [*folder_problems("DAGSTER_HOME", home), *check_settings(settings, _today(settings))]


def _today(settings: Settings) -> date:
    return day_of(datetime.now(UTC), settings.platform.time_zone)


def day_of_rows(settings: Settings, last: date | None = None) -> date | None:
    """Return the day whose users and jobs count: today, or with the replay clock a run's last.

    Args:
        settings: The settings in force.
        last: The last day of the run; None if there is no run.
    """
    return last if settings.platform.clock == "replay" else _today(settings)


def has_champion(settings: Settings) -> bool:
    """Return whether the installation's lake, if it can be read, has a model."""
    from conversion_platform.lake import open_lake
    from conversion_platform.training import current_promotion

    try:
        return current_promotion(open_lake(settings)) is not None
    except PlatformError:
        return False  # `settings_findings` says why the lake cannot be read


def check_before_run(session: Session, days: DayRange, trains: bool = False) -> list[Finding]:
    """Check the settings, and try the first of the days on data.

    The data are those of the lake. Where it has none, where a model is to be trained, or where
    something is wrong with them, the sources are loaded into a temporary lake.

    Args:
        session: Settings, lake and DuckDB connection; nothing is written.
        days: The days asked for.
        trains: Whether a model is to be trained although there is one.

    Returns:
        Warnings.

    Raises:
        PlatformError: naming the setting that a run would fail on, and what is wrong.
        SourceError: the sources cannot be read.
    """
    from conversion_platform.preflight import check_data, trial_of_lake
    from conversion_platform.training import champion

    found = require_no_error(settings_findings(session.settings))
    learns = trains or champion(session.lake, days.first) is None
    of_lake = None if learns else trial_of_lake(session)
    if of_lake is not None:
        tried = check_data(of_lake).findings
        if all(one.warning for one in tried):
            return [*found, *tried]
    return [*found, *_of_sources(session.settings, days, learns)]


def _of_sources(settings: Settings, days: DayRange, learns: bool) -> list[Finding]:
    from conversion_platform.preflight import check_data, check_freshness, loaded_trial

    today = day_of_rows(settings, days.last)
    with loaded_trial(settings, days.first, learns, today) as (checked, trial):
        found = reject_findings(checked.report)
        found += check_data(trial).findings
        return require_no_error([*found, *check_freshness(trial, days.last)])


def reject_findings(report: SourceReport) -> list[Finding]:
    """Return the sources of which too many rows are rejected."""
    return [
        Finding(
            f"sources.{source.name}",
            SourceError(
                f"sources.{source.name}: {source.rejected_rows:,} of "
                f"{source.read_rows:,} rows are rejected, more than "
                f"sources.{source.name}.fail_share allows.",
                "See `Row rejected because` and `Settings` on the screen of `conversion-platform "
                "check-sources`.",
            ),
        )
        for source in report.sources
        if source.verdict == "fail"
    ]


def require_no_error(found: Iterable[Finding]) -> list[Finding]:
    """Return the warnings among findings.

    Raises:
        PlatformError: the first error, with the settings that the others are about.
    """
    listed = list(found)
    errors = [one for one in listed if not one.warning]
    if not errors:
        return listed
    first = errors[0].named()
    if len(errors) == 1:
        raise first
    others = ", ".join(dict.fromkeys(one.setting for one in errors[1:]))
    raise _with_others(first, others)


def _with_others(first: PlatformError, others: str) -> PlatformError:
    remedy = f"{first.remedy} There are more mistakes ({others}): `check-sources` shows them all."
    return type(first)(first.problem, remedy)
