"""Settings and sources with one defect each: each is told, with its setting, before a run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from conversion_platform.cli.main import main
from conversion_platform.preflight import Trial, check_data, loaded_trial
from conversion_platform.settings import CONFIG_NAME, load_settings
from conversion_platform_tests.preflight.defects import Defect, defects
from conversion_platform_tests.preflight.world import (
    loaded_findings,
    told_of_file,
    write_settings,
    write_world,
)

ALL = tuple(defects())
SHARED = [one for one in ALL if not one.loads]
LOADING = [one for one in ALL if one.loads]
FIRST_OF_KIND = list({one.kind: one for one in reversed(LOADING)}.values())


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The good world: to be read, not changed."""
    return write_world(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def trial(good: Path) -> Iterator[Trial]:
    """Its sources in a temporary lake, with the features of a day."""
    with loaded_trial(load_settings(good / CONFIG_NAME), None, learns=True) as (_, loaded):
        assert check_data(loaded).findings == []
        yield loaded


def defective(good: Path, folder: Path, defect: Defect) -> Path:
    """Copy the good world and make one thing of it wrong; return the settings file."""
    shutil.copytree(good, folder)
    defect.prepare(folder)
    return write_settings(folder, defect.changes, defect.text)


def test_there_are_three_hundred_defects_of_forty_kinds() -> None:
    assert len(ALL) >= 300
    assert len({one.kind for one in ALL}) >= 40


def test_nothing_is_wrong_with_the_good_world(good: Path) -> None:
    assert loaded_findings(load_settings(good / CONFIG_NAME)) == []


@pytest.mark.parametrize("defect", SHARED, ids=str)
def test_a_defect_of_the_settings_is_told(
    good: Path, trial: Trial, tmp_path: Path, defect: Defect
) -> None:
    file = defective(good, tmp_path / "world", defect)
    of_events = defect.kind.endswith("never occur")
    message = told_of_file(file, replace(trial, temporary=of_events))
    assert defect.told in message


@pytest.mark.parametrize("defect", FIRST_OF_KIND, ids=str)
def test_a_defect_of_the_sources_is_told(good: Path, tmp_path: Path, defect: Defect) -> None:
    assert defect.told in told_of_file(defective(good, tmp_path / "world", defect), None)


@pytest.mark.parametrize("defect", ALL[::60], ids=str)
def test_the_command_tells_a_defect_and_writes_nothing(
    good: Path, tmp_path: Path, defect: Defect
) -> None:
    check_the_command(defective(good, tmp_path / "world", defect), defect)


@pytest.mark.slow
@pytest.mark.parametrize("defect", ALL, ids=str)
def test_the_command_tells_every_defect_and_writes_nothing(
    good: Path, tmp_path: Path, defect: Defect
) -> None:
    check_the_command(defective(good, tmp_path / "world", defect), defect)


def check_the_command(file: Path, defect: Defect) -> None:
    """See that `check-sources` says what is wrong, and leaves every file as it is."""
    before = files_of(file.parent)
    result = CliRunner().invoke(main, ["--config", str(file), "check-sources"])
    assert result.exit_code == 1, result.output
    assert defect.told in result.stderr
    assert result.stderr.startswith("Error: ") and "What to do: " in result.stderr
    assert files_of(file.parent) == before


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
