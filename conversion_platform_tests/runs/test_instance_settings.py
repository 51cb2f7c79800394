"""dagster.yaml: written where there is none, brought up to date, or said to lack something."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conversion_platform.runs.instance_settings import (
    CONFIG_FILE,
    EARLIER_SETTINGS,
    INSTANCE_SETTINGS,
    lacking_settings,
    read_settings,
    write_settings,
)

OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"


def test_a_new_instance_gets_settings_that_lack_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_settings(tmp_path)
    assert lacking_settings(read_settings(tmp_path)) == []
    write_settings(tmp_path)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("earlier", EARLIER_SETTINGS)
def test_what_an_earlier_release_wrote_is_replaced(tmp_path: Path, earlier: str) -> None:
    (tmp_path / CONFIG_FILE).write_text(earlier)
    write_settings(tmp_path)
    assert (tmp_path / CONFIG_FILE).read_text() == INSTANCE_SETTINGS


def test_what_somebody_has_changed_is_left_and_what_it_lacks_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = f"{EARLIER_SETTINGS[0]}schedules:\n  use_threads: true\n"
    (tmp_path / CONFIG_FILE).write_text(changed)
    write_settings(tmp_path)
    assert (tmp_path / CONFIG_FILE).read_text() == changed
    said = capsys.readouterr().err
    assert "concurrency.pools.granularity: run" in said
    assert "run_retries.enabled: true" in said
    assert "run_monitoring.enabled" not in said


@pytest.mark.parametrize(
    ("old", "new", "lacking"),
    [
        ("granularity: run", "granularity: op", ["concurrency.pools.granularity: run"]),
        ("default_limit: 1", "default_limit: 0", ["concurrency.pools.default_limit: 1"]),
        ("default_limit: 1", "default_limit: 2", []),
        ("max_concurrent_runs: 3", "max_concurrent_runs: 9", []),
    ],
)
def test_a_value_of_ones_choice_is_not_lacking(
    tmp_path: Path, old: str, new: str, lacking: list[str]
) -> None:
    assert old in INSTANCE_SETTINGS
    (tmp_path / CONFIG_FILE).write_text(INSTANCE_SETTINGS.replace(old, new))
    assert lacking_settings(read_settings(tmp_path)) == lacking


def test_the_page_shows_what_is_written() -> None:
    def uncommented(text: str) -> list[str]:
        lines = (line.partition("#")[0].rstrip() for line in text.splitlines())
        return [line for line in lines if line]

    (shown,) = re.findall(r"```yaml\n(.*?)```", OPERATIONS.read_text("utf-8"), re.DOTALL)
    assert uncommented(INSTANCE_SETTINGS)[-len(uncommented(shown)) :] == uncommented(shown)
