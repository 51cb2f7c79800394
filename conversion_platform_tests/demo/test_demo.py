"""The demo, end to end on a tiny world: it runs, says what happened, and closes the loop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conversion_platform.demo import MARKER, prepare, run_demo
from conversion_platform.errors import SettingsError
from conversion_platform.simulator import World
from conversion_platform.status import TRUTH_KEY
from conversion_platform_tests.tiny_platform import lake_in, rows


@pytest.mark.slow
def test_the_demo_lives_its_days_and_its_last_screen_says_where_to_look(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"
    run_demo(folder, 2, World.tiny())
    screen = capsys.readouterr().out
    for words in ("What happened", "oracle", "Where to look", "make dev", "status", "outbox"):
        assert words in screen, words
    known = lake_in(folder).read_json(TRUTH_KEY)
    for name in (
        "map_model",
        "map_human",
        "map_formula",
        "map_popularity",
        "map_oracle",
        "gap_closed",
    ):
        assert set(known[name]) >= {"value", "low", "high"}
    assert known["map_oracle"]["value"] > known["map_popularity"]["value"]
    json.dumps(known, allow_nan=False)
    assert rows(folder, "SELECT count(DISTINCT dt) FROM job_of_the_day") == [(2,)]
    ((sent,),) = rows(folder, "SELECT count(*) FROM sent_messages WHERE state = 'delivered'")
    assert sent > 0
    assert rows(folder, "SELECT 1 FROM log_message_state WHERE recorded_at IS NOT NULL") == []


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SettingsError, match="holds no demo"):
        run_demo(tmp_path, 1, World.tiny())
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_beside_it_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    prepare(tmp_path / "demo")
    (tmp_path / "demo.before").mkdir()
    (tmp_path / "demo.before/thesis.txt").write_text("mine")
    with pytest.raises(SettingsError, match=r"demo\.before is not empty and holds no demo"):
        prepare(tmp_path / "demo")
    assert (tmp_path / "demo" / MARKER).exists()


def test_an_earlier_demo_is_moved_aside_and_the_one_before_it_is_gone(tmp_path: Path) -> None:
    for lake in ("first", "second"):
        prepare(tmp_path / "demo")
        (tmp_path / "demo" / lake).mkdir()
    settings = prepare(tmp_path / "demo")
    assert (tmp_path / "demo.before" / "second").exists()
    assert not (tmp_path / "demo.before" / "first").exists()
    names = {file.name for file in (tmp_path / "demo").iterdir()}
    assert names == {MARKER, "conversion_platform.toml"}
    assert settings.messaging.provider == "sandbox"
    assert settings.platform.clock == "replay"
