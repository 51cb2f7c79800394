"""Runs days with a progress display: what `run`, `demo` and `example` share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from conversion_platform.lake import Session
from conversion_platform.runs.bars import JobBars
from conversion_platform.runs.preflight import check_before_run

if TYPE_CHECKING:
    from conversion_platform.days import DayRange
    from conversion_platform.settings import Settings


@contextmanager
def with_secrets(settings: Settings) -> Iterator[None]:
    """Return the secrets that the settings name, in the environment as a run has them.

    Raises:
        SettingsError: they cannot be read.
    """
    if not settings.platform.aws_secrets:  # Dagster takes a second to import
        yield
        return
    from conversion_platform.defs.resources import secrets_in_environment

    with secrets_in_environment(settings):
        yield


def run_days(settings: Settings, days: DayRange, bars: JobBars | None = None) -> None:
    """Run `days` and whatever has to come before them.

    Raises:
        PlatformError: what the failing asset raised, with the asset's name; or what is wrong
            with a cohort, before anything runs.
    """
    from conversion_platform.defs.resources import secrets_in_environment
    from conversion_platform.lake import open_lake, require_format
    from conversion_platform.messaging import require_own_lake
    from conversion_platform.runs.commands import command
    from conversion_platform.runs.execution import execute
    from conversion_platform.runs.instance import open_instance
    from conversion_platform.runs.planning import Step, plan

    with secrets_in_environment(settings), open_instance(settings) as instance:
        lake = open_lake(settings)
        require_own_lake(settings, lake.storage)
        require_format(lake.storage)
        steps = plan(lake, settings, days)
        with lake.connect(reading=True) as con:
            check_before_run(Session(settings, lake, con))
        with (
            command(instance, lake.storage, f"`run` of {days}") as under_way,
            nullcontext(bars) if bars else JobBars().shown() as shown,
        ):

            def run_one(step: Step, tags: Mapping[str, str]) -> None:
                shown.warn(execute(instance, settings, step, shown.watch, tags).failed_checks)

            if left := under_way.left_behind(steps):
                under_way.run(left, run_one, then=steps)
                steps = plan(lake, settings, days)
            under_way.run(steps, run_one)
