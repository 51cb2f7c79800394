"""What `check-sources` passes does not fail later: odd worlds that pass are run."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import PlatformError
from conversion_platform.runs import run_days
from conversion_platform.settings import CONFIG_NAME, Settings, load_settings
from conversion_platform_tests.preflight.mutations import drawn, run_chain
from conversion_platform_tests.preflight.world import (
    LAST,
    loaded_findings,
    told,
    write_settings,
    write_world,
)
from conversion_platform_tests.tiny_platform import NoBars

pytestmark = pytest.mark.slow
WORLDS = range(36)
RUN = (5, 17, 24)
"""Worlds that are run through Dagster too, which takes five times as long."""

REFUSED: frozenset[int] = frozenset()
"""Worlds that have an error which `check-sources` finds: were all refused, nothing would be run."""


def accepted(folder: Path, seed: int) -> Settings:
    """Write the world of a seed, which `check-sources` accepts; skip the test if it is refused.

    Only a world of `REFUSED` may be.
    """
    write_world(folder)
    mutated = drawn(seed)
    mutated.write(folder)
    try:
        settings = load_settings(write_settings(folder, mutated.changes))
        errors = told(loaded_findings(settings))
    except PlatformError as error:
        errors = str(error)
    assert bool(errors) == (seed in REFUSED), errors
    if errors:
        pytest.skip(f"refused before the run: {errors}")
    return settings


def test_most_worlds_are_run() -> None:
    assert len(REFUSED) <= len(WORLDS) / 4
    assert not REFUSED.intersection(RUN)


@pytest.mark.parametrize("seed", WORLDS)
def test_what_is_accepted_goes_through_every_stage(tmp_path: Path, seed: int) -> None:
    run_chain(accepted(tmp_path, seed))


@pytest.mark.parametrize("seed", RUN)
def test_what_is_accepted_runs(tmp_path: Path, seed: int) -> None:
    run_days(accepted(tmp_path, seed), DayRange.of(LAST + ONE_DAY), NoBars())  # type: ignore[arg-type]


def test_the_good_world_runs(tmp_path: Path) -> None:
    settings = load_settings(write_world(tmp_path) / CONFIG_NAME)
    assert loaded_findings(settings) == []
    run_days(settings, DayRange.of(LAST + ONE_DAY), NoBars())  # type: ignore[arg-type]
