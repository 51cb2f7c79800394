"""The drill: back up while a day runs, lose everything, restore, and go on undisturbed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conversion_platform.cli.main import main
from conversion_platform.runs import run_activity
from conversion_platform_tests.command import call, ended, start, until
from conversion_platform_tests.tiny_platform import (
    LIVED,
    NEXT,
    THEN,
    differences,
    run,
    settings_in,
)

LOST = ("lake", "dagster_home", "messaging", "conversion_platform.toml")


def ask(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(folder / "conversion_platform.toml"), *words])


def under_way(folder: Path) -> bool:
    with run_activity(settings_in(folder)) as activity:
        return activity.under_way() is not None


def sent(folder: Path) -> list[tuple[str, ...]]:
    """What the provider was given, in order."""
    with closing(sqlite3.connect(folder / "messaging/sandbox.sqlite")) as con:
        return con.execute("SELECT message_id, phone, body FROM outbox ORDER BY number").fetchall()


def lose_everything(folder: Path) -> None:
    for name in LOST:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def restore(folder: Path, backup: Path) -> Result:
    """The way of docs/operations.md: settings first, then the rest."""
    shutil.copy(backup / "conversion_platform.toml", folder)
    return ask(folder, "restore", str(backup))


@pytest.mark.slow
def test_the_drill_ends_in_the_bytes_of_an_undisturbed_platform(
    platform: Path, copies: object, tmp_path: Path
) -> None:
    undisturbed = copies("undisturbed")  # type: ignore[operator]
    for day in (NEXT, THEN):
        run(undisturbed, day)

    going = start(platform, "run", "--from", str(NEXT))
    assert until(lambda: under_way(platform), going), "the day ended before it could be seen"
    hasty = ask(platform, "backup", str(tmp_path / "hasty"), "--wait", "0")
    assert hasty.exit_code == 1
    assert f"`run` of {NEXT} (process {going.pid} on " in hasty.stderr
    assert not (tmp_path / "hasty").exists()
    patient = call(platform, "backup", str(tmp_path / "patient"), "--wait", "5")
    assert patient[0] == 0, patient[2]
    assert ended(going)[0] == 0

    lose_everything(platform)
    back = restore(platform, tmp_path / "patient")
    assert back.exit_code == 0, back.stderr
    assert str(NEXT) in ask(platform, "status").stdout
    run(platform, THEN)
    assert differences(platform, undisturbed) == []
    assert sent(platform) == sent(undisturbed)
    with run_activity(settings_in(platform)) as activity:
        assert activity.under_way() is None


@pytest.mark.slow
def test_a_backup_of_the_day_before_goes_on_from_there(
    platform: Path, copies: object, tmp_path: Path
) -> None:
    undisturbed = copies("undisturbed")  # type: ignore[operator]
    run(undisturbed, NEXT)
    assert ask(platform, "backup", str(tmp_path / "backup")).exit_code == 0
    run(platform, NEXT)
    refused = ask(platform, "restore", str(tmp_path / "backup"))
    assert refused.exit_code == 1 and "--force" in refused.stderr
    forced = ask(platform, "restore", str(tmp_path / "backup"), "--force")
    assert forced.exit_code == 0, forced.stderr
    assert str(LIVED) in ask(platform, "status").stdout
    run(platform, NEXT)
    assert differences(platform, undisturbed) == []
    assert sent(platform) == sent(undisturbed)


def test_a_restore_says_what_it_did_and_what_it_cannot_know(platform: Path, tmp_path: Path) -> None:
    ask(platform, "backup", str(tmp_path / "backup"))
    made_at = json.loads((tmp_path / "backup/manifest.json").read_text())["made_at"]
    found = ask(platform, "restore", str(tmp_path / "backup"), "--force")
    assert f"Restored the state of {made_at}" in found.stdout
    assert "Messages sent and opt-outs taken in since then are not in the ledger" in found.stdout
    assert "lake.before-restore-" in found.stdout


def test_a_lake_is_not_replaced_below_a_running_daemon(
    platform: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(platform, "backup", str(tmp_path / "backup"))
    monkeypatch.setattr(
        "conversion_platform.runs.activity.RunActivity.daemon",
        lambda _: "Dagster's daemon is running, or was 3 seconds ago",
    )
    found = ask(platform, "restore", str(tmp_path / "backup"), "--force")
    assert found.exit_code == 1
    assert "daemon is running" in found.stderr
