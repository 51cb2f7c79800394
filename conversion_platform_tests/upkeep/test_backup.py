"""A backup holds one moment, is for its owner alone, and goes nowhere dangerous."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from conversion_platform.errors import BackupError
from conversion_platform.lake import open_storage
from conversion_platform.upkeep import Places, back_up
from conversion_platform_tests.upkeep.installation import NOW, Clock, Installation, Scripted


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_manifest_lists_every_file_with_its_digest(
    installed: Installation, target: Path
) -> None:
    found = installed.back_up(target)
    manifest = json.loads((target / "manifest.json").read_text())
    assert [entry["path"] for entry in manifest["files"]] == [
        "conversion_platform.toml",
        "dagster_home/dagster.yaml",
        "dagster_home/history/runs.db",
        "lake/events/dt=2026-11-27/data.parquet",
        "lake/platform/format.json",
        "lake/users/data.parquet",
        "messaging/ledger.sqlite",
    ]
    assert manifest["made_at"] == found.made_at == "2026-11-28T10:15:00+00:00"
    assert manifest["settings_file"] == str(installed.places.settings_file)
    assert found.missing == ("a sandbox outbox",)


def test_only_its_owner_can_read_it(installed: Installation, target: Path) -> None:
    installed.back_up(target)
    assert mode_of(target) == 0o700
    assert {mode_of(path) for path in target.rglob("*") if path.is_dir()} == {0o700}
    assert {mode_of(path) for path in target.rglob("*") if path.is_file()} == {0o600}


def test_what_a_live_process_has_committed_is_in_it(installed: Installation, target: Path) -> None:
    with installed.open_run("run-2"):
        installed.back_up(target)
    restored = Installation(target.parent / "elsewhere")
    restored.folder.mkdir()
    restored.restore(target)
    assert restored.recorded() == ["run-1", "run-2"]


def test_files_in_the_making_are_left_out(installed: Installation, target: Path) -> None:
    installed.back_up(target)
    assert not list(target.rglob("*.staging*")), "the next run would take them for its own"


@pytest.mark.parametrize("inside", ["lake/backup", "dagster_home/backup", "lake"])
def test_a_target_inside_the_platform_is_refused(installed: Installation, inside: str) -> None:
    with pytest.raises(BackupError, match="inside"):
        installed.back_up(installed.folder / inside)


def test_a_way_round_by_a_link_is_refused_too(installed: Installation, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(installed.folder / "lake")
    with pytest.raises(BackupError, match="inside the lake"):
        installed.back_up(link / "backup")


def test_a_target_that_holds_something_is_refused_and_stays_as_it_is(
    installed: Installation, target: Path
) -> None:
    target.mkdir()
    (target / "thesis.txt").write_text("years of work")
    with pytest.raises(BackupError, match="not empty"):
        installed.back_up(target)
    assert [path.name for path in target.iterdir()] == ["thesis.txt"]


def test_a_target_that_is_a_file_is_refused(installed: Installation, target: Path) -> None:
    target.write_text("")
    with pytest.raises(BackupError, match="is a file"):
        installed.back_up(target)


def test_an_empty_folder_is_taken_and_closed_to_others(
    installed: Installation, target: Path
) -> None:
    target.mkdir(mode=0o755)
    installed.back_up(target)
    assert mode_of(target) == 0o700


def test_a_run_under_way_is_waited_for(installed: Installation, target: Path) -> None:
    clock, runs = Clock(), Scripted(looks=["run 1 is under way", "run 1 is under way", None])
    back_up(installed.places, installed.storage, target, runs, clock.patience(60), lambda: NOW)
    assert clock.now == 2.0
    assert (target / "manifest.json").exists()


def test_a_run_that_does_not_end_in_time_is_named_and_nothing_is_left(
    installed: Installation, target: Path
) -> None:
    clock, runs = Clock(), Scripted(looks=["run 1 of job daily is under way"])
    with pytest.raises(BackupError, match="run 1 of job daily is under way"):
        back_up(installed.places, installed.storage, target, runs, clock.patience(60), lambda: NOW)
    assert clock.now == 60.0
    assert not target.exists()


def test_a_run_that_came_and_went_while_files_were_copied_has_them_copied_again(
    installed: Installation, target: Path
) -> None:
    def write() -> None:
        runs.after_mark = lambda: None
        installed.storage.replace("users/data.parquet", b"later")
        installed.storage.replace("jobs/data.parquet", b"jobs")
        (installed.folder / "lake/events/dt=2026-11-27/data.parquet").unlink()

    runs = Scripted(looks=[None], marks=["before", "after"], after_mark=write)
    back_up(installed.places, installed.storage, target, runs, Clock().patience(9), lambda: NOW)
    assert (target / "lake/users/data.parquet").read_bytes() == b"later"
    assert (target / "lake/jobs/data.parquet").read_bytes() == b"jobs"
    assert not (target / "lake/events/dt=2026-11-27/data.parquet").exists()


def test_a_lake_that_changed_without_a_run_has_its_files_copied_again(
    installed: Installation, target: Path
) -> None:
    def write() -> None:
        runs.after_mark = lambda: None
        installed.storage.replace("users/data.parquet", b"after")

    # The first mark comes before the lake is looked at, so only the copy can miss what follows it.
    runs = Scripted(looks=[None])
    runs.after_mark = lambda: setattr(runs, "after_mark", write)
    back_up(installed.places, installed.storage, target, runs, Clock().patience(9), lambda: NOW)
    assert (target / "lake/users/data.parquet").read_bytes() == b"after"


def test_a_damaged_database_is_no_backup(installed: Installation, target: Path) -> None:
    ledger = installed.places.ledger
    with ledger.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    with pytest.raises(BackupError, match=r"ledger\.sqlite|database"):
        installed.back_up(target)
    assert not target.exists()


def test_a_full_disk_is_one_message_and_leaves_nothing(
    installed: Installation, tiny_disk: Path
) -> None:
    installed.storage.replace("events/dt=2026-11-28/data.parquet", b"x" * 2_000_000)
    with pytest.raises(BackupError, match="No space left") as caught:
        installed.back_up(tiny_disk / "backup")
    assert "Free space" in caught.value.remedy
    assert list(tiny_disk.iterdir()) == []


def test_without_a_lake_there_is_nothing_to_back_up(tmp_path: Path, target: Path) -> None:
    nothing = Installation(tmp_path / "nothing")
    with pytest.raises(BackupError, match="no lake"):
        nothing.back_up(target)
    assert not nothing.folder.exists()


@pytest.fixture
def on_s3(installed: Installation, s3_environment: object) -> Places:
    """The installation with its lake in a bucket."""
    from conversion_platform.lake import ensure_format

    root = f"s3://{s3_environment.new_bucket()}/lake"  # type: ignore[attr-defined]
    ensure_format(open_storage(root))
    here = installed.places
    return Places(root, here.dagster_home, here.ledger, here.sandbox, here.settings_file)


def test_a_lake_on_s3_is_left_to_aws_and_said_so(on_s3: Places, target: Path) -> None:
    storage = open_storage(on_s3.lake)
    with pytest.raises(BackupError, match="not on this machine") as caught:
        back_up(on_s3, storage, target, Scripted([None]), Clock().patience(0), lambda: NOW)
    assert "versioning" in caught.value.remedy
    assert "--without-lake" in caught.value.remedy
    found = back_up(
        on_s3, storage, target, Scripted([None]), Clock().patience(0), lambda: NOW, False
    )
    assert not found.lake_copied
    assert not (target / "lake").exists()
    assert (target / "messaging/ledger.sqlite").exists()
