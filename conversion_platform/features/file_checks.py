"""Tries the files of custom features before a run."""

from __future__ import annotations

from conversion_platform.days import DayRange
from conversion_platform.errors import Finding, SettingsError
from conversion_platform.features.attributes import attribute_features
from conversion_platform.features.builtin import builtin_features
from conversion_platform.features.custom import custom_features, custom_files, run_custom_files
from conversion_platform.lake import Session

SETTING = "features.folder"


def check_custom_files(session: Session, days: DayRange) -> list[Finding]:
    """Bind every file of custom features, and run it for `days` over the lake's tables.

    Args:
        session: Settings, lake and DuckDB connection; nothing is written.
        days: Days whose features are tried; the lake has the events that they look back to.

    Raises:
        NotReadyError: users, jobs or attributes have not been loaded.
    """
    try:
        files = custom_files(session.settings)
    except SettingsError as error:
        return [Finding(SETTING, error)]
    taken = {feature.name for feature in builtin_features()}
    taken |= {attribute.feature.name for attribute in attribute_features(session)}
    found = []
    for file in files:
        try:
            custom_features(session, [file], taken)
            run_custom_files(session, [file], days)
        except SettingsError as error:
            found.append(Finding(SETTING, error))
    return found
