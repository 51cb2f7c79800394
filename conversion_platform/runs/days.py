"""Runs days with a progress display: what `run`, `train`, `demo` and `example` share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.lake import Session
from conversion_platform.marketplace import require_snapshots
from conversion_platform.runs.bars import JobBars
from conversion_platform.runs.preflight import check_before_run

if TYPE_CHECKING:
    from datetime import date

    import dagster as dg

    from conversion_platform.lake import Lake
    from conversion_platform.runs.planning import PlannedJob
    from conversion_platform.settings import Settings


@dataclass(frozen=True)
class Installation:
    """What runs need: settings, lake, and the Dagster instance that records them."""

    settings: Settings
    lake: Lake
    instance: dg.DagsterInstance


@contextmanager
def with_secrets(settings: Settings) -> Iterator[None]:
    """Have the secrets that the settings name in the environment, as a run has them.

    Raises:
        SettingsError: they cannot be read.
    """
    if not settings.platform.aws_secrets:  # Dagster takes a second to import
        yield
        return
    from conversion_platform.defs.resources import secrets_in_environment

    with secrets_in_environment(settings):
        yield


def run_days(
    settings: Settings,
    days: DayRange,
    bars: JobBars | None = None,
    weekly: bool = False,
    replan: bool = False,
    refresh_snapshot: bool = False,
) -> None:
    """Run `days` and whatever has to come before them.

    Args:
        settings: The settings in force.
        days: The days.
        bars: Where progress is shown; bars of its own if not given.
        weekly: Whether to train on each `training.train_weekday` among them, as the schedule does.
        replan: Whether to decide again about suppressed messages that never left.
        refresh_snapshot: Whether users and jobs as the source shows them now replace what the last
            of the days captured.

    Raises:
        NotReadyError: `replan`, and one of the days is over; or `refresh_snapshot`, and that day
            has no snapshot.
        PlatformError: what the failing asset raised, with the asset's name; or what is wrong
            with a cohort, before anything runs.
    """
    from conversion_platform.runs.planning import plan, require_days_under_way

    if replan:
        require_days_under_way(settings, days)
    with _ready(settings) as opened:
        if refresh_snapshot:
            require_snapshots(opened.lake, days.last)
        tags = _tags(replan, days.last if refresh_snapshot else None)

        def planned() -> list[PlannedJob]:
            return _tagged(plan(opened.lake, settings, days, weekly), tags)

        _run(opened, f"`run` of {days}", planned, bars, days)


def _tags(replan: bool, refreshed: date | None) -> dict[str, str]:
    """Return the tags of a run of the daily job that say what is to be done anew."""
    from conversion_platform.defs.marketplace.assets import REFRESH_SNAPSHOT
    from conversion_platform.defs.messaging.assets import REPLAN

    return {
        **({REPLAN: "true"} if replan else {}),
        **({REFRESH_SNAPSHOT: refreshed.isoformat()} if refreshed else {}),
    }


def _tagged(steps: list[PlannedJob], tags: Mapping[str, str]) -> list[PlannedJob]:
    """Return the steps, those of the daily job with tags for their runs."""
    return [replace(step, tags=tags) if step.job == "daily" else step for step in steps]


@dataclass(frozen=True)
class Trained:
    """What came of a training: the version, and whether and why it is the champion."""

    version: str
    promoted: bool
    reason: str


def train_day(settings: Settings, day: date, bars: JobBars | None = None) -> Trained:
    """Train a candidate from what has matured by `day`, and decide on it as the weekly job does.

    Raises:
        PlatformError: as `run_days`.
    """
    from conversion_platform.runs.execution import latest_facts
    from conversion_platform.runs.planning import plan_training

    with _ready(settings) as opened:
        planned = partial(plan_training, opened.lake, settings, day)
        _run(opened, f"`train` of {day}", planned, bars, DayRange.of(day), trains=True)
        decided = latest_facts(opened.instance, "champion_model")
        version = str(latest_facts(opened.instance, "candidate_model")["model_version"])
    return Trained(version, bool(decided["promoted"]), str(decided["reason"]))


@contextmanager
def _ready(settings: Settings) -> Iterator[Installation]:
    """Open what runs need, where the lake is the ledger's own and of this version's format."""
    from conversion_platform.defs.resources import secrets_in_environment
    from conversion_platform.lake import open_lake, require_format
    from conversion_platform.messaging import require_own_lake
    from conversion_platform.runs.instance import open_instance

    with secrets_in_environment(settings), open_instance(settings) as instance:
        lake = open_lake(settings)
        require_own_lake(settings, lake.storage)
        require_format(lake.storage)
        yield Installation(settings, lake, instance)


def _run(
    opened: Installation,
    task: str,
    plan: Callable[[], list[PlannedJob]],
    bars: JobBars | None,
    days: DayRange,
    trains: bool = False,
) -> None:
    """Check what is planned before anything is written; then run it, after what was left behind.

    The plan is made again where it counts: another writer may have been waited for.
    """
    from conversion_platform.runs.commands import command
    from conversion_platform.runs.execution import execute

    settings, lake, instance = opened.settings, opened.lake, opened.instance
    plan()
    with lake.connect(reading=True) as con:
        found = check_before_run(Session(settings, lake, con), days, trains)
    with (
        command(instance, lake.storage, task) as under_way,
        nullcontext(bars) if bars else JobBars().shown() as shown,
    ):
        shown.warn(one.named().problem for one in found)

        def run_one(step: PlannedJob, tags: Mapping[str, str]) -> None:
            done = execute(instance, settings, step, shown.watch, tags)
            shown.warn(done.failed_checks)

        steps = plan()
        if left := under_way.take_over_pending(steps):
            under_way.run(left, run_one, then=steps)
            steps = plan()
        under_way.run(steps, run_one)
