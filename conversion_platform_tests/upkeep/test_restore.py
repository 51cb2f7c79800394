"""A restore gives all back, overwrites nothing unasked, and is whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from conversion_platform.errors import BackupError, LakeError
from conversion_platform_tests.upkeep.installation import Installation


def files(folder: Path) -> dict[str, str]:
    """Every file below a folder with its digest, but for what SQLite keeps beside databases."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock"))
    }


@pytest.fixture
def backup(installed: Installation, target: Path) -> Path:
    """A backup of the installation."""
    installed.back_up(target)
    return target


def test_what_was_lost_is_there_again(installed: Installation, backup: Path) -> None:
    shutil.rmtree(installed.folder / "lake/.staging")
    before = files(installed.folder / "lake")
    installed.lose_everything()
    installed.restore(backup)
    assert files(installed.folder / "lake") == before
    assert installed.recorded() == ["run-1"]
    assert installed.suppressed() == "test"
    assert not list(installed.folder.rglob("*.restoring"))


def test_personal_files_are_for_their_owner_and_others_keep_their_mode(
    installed: Installation, backup: Path
) -> None:
    installed.lose_everything()
    installed.restore(backup)
    assert stat.S_IMODE(installed.places.ledger.stat().st_mode) == 0o600
    yaml = installed.places.dagster_home / "dagster.yaml"
    assert stat.S_IMODE(yaml.stat().st_mode) == 0o644


def test_nothing_is_overwritten_unasked(installed: Installation, backup: Path) -> None:
    installed.storage.replace("users/data.parquet", b"newer")
    before = files(installed.folder)
    with pytest.raises(BackupError, match="stands where the backup would go") as caught:
        installed.restore(backup)
    assert "--force" in caught.value.remedy
    assert str(installed.places.ledger) in caught.value.problem
    assert files(installed.folder) == before


def test_with_force_what_stands_there_is_moved_aside_whole(
    installed: Installation, backup: Path
) -> None:
    installed.storage.replace("users/data.parquet", b"newer")
    installed.record_run("run-2")
    found = installed.restore(backup, force=True)
    assert installed.storage.read("users/data.parquet") == b"users"
    assert installed.recorded() == ["run-1"]
    aside = installed.folder / "lake.before-restore-20261128T101500Z"
    assert aside in found.aside
    assert (aside / "users/data.parquet").read_bytes() == b"newer"


def test_the_log_beside_a_replaced_ledger_does_not_come_into_the_restored_one(
    installed: Installation, backup: Path
) -> None:
    from conversion_platform.messaging import Ledger
    from conversion_platform_tests.upkeep.installation import NOW

    ledger = Ledger(installed.places.ledger)
    ledger.suppress("+15125550199", NOW, "stop", "later")
    wal = installed.places.ledger.with_name("ledger.sqlite-wal")
    assert wal.stat().st_size, "the change lies in the log"
    installed.restore(backup, force=True)
    with Ledger(installed.places.ledger) as restored:
        assert restored.suppression("+15125550199") is None
        assert restored.suppression("+15125550123") == "test"
    ledger.close()


@pytest.mark.parametrize("lost", ["lake", "dagster_home", "messaging"])
def test_a_part_alone_can_have_been_lost(installed: Installation, backup: Path, lost: str) -> None:
    shutil.rmtree(installed.folder / lost)
    installed.restore(backup, force=True)
    assert installed.storage.read("users/data.parquet") == b"users"
    assert installed.recorded() == ["run-1"]
    assert installed.suppressed() == "test"


def alter(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


@pytest.mark.parametrize(
    "damage",
    [
        lambda backup: alter(backup / "lake/users/data.parquet"),
        lambda backup: alter(backup / "messaging/ledger.sqlite"),
        lambda backup: (backup / "lake/events/dt=2026-11-27/data.parquet").unlink(),
        lambda backup: os.truncate(backup / "dagster_home/history/runs.db", 4096),
    ],
    ids=["a byte", "the ledger", "a file", "an end"],
)
def test_a_damaged_backup_is_refused_before_anything_is_moved(
    installed: Installation,
    backup: Path,
    damage: object,
) -> None:
    damage(backup)  # type: ignore[operator]
    before = files(installed.folder)
    with pytest.raises(BackupError, match="damaged"):
        installed.restore(backup, force=True)
    assert files(installed.folder) == before


def test_a_backup_that_was_not_finished_is_none(installed: Installation, backup: Path) -> None:
    (backup / "manifest.json").unlink()
    with pytest.raises(BackupError, match="holds no backup"):
        installed.restore(backup, force=True)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"manifest": 1}', '{"manifest": "x"}'])
def test_a_damaged_manifest_is_named(installed: Installation, backup: Path, text: str) -> None:
    (backup / "manifest.json").write_text(text)
    with pytest.raises(BackupError, match=r"manifest\.json is damaged"):
        installed.restore(backup, force=True)


def rewrite(backup: Path, **values: object) -> None:
    file = backup / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_a_manifest_cannot_reach_files_outside_of_the_backup(
    installed: Installation, backup: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    found = hashlib.sha256(b"x").hexdigest()
    entry = {"path": "lake/../../secret", "bytes": 1, "sha256": found, "mode": 0o644}
    rewrite(backup, files=[entry])
    with pytest.raises(BackupError, match="outside"):
        installed.restore(backup, force=True)


def test_the_lake_of_a_later_release_is_refused(installed: Installation, backup: Path) -> None:
    rewrite(backup, lake_format=99, release="8.0.0")
    with pytest.raises(LakeError, match=r"99.*8\.0\.0"):
        installed.restore(backup, force=True)


def test_a_manifest_of_a_later_release_is_refused(installed: Installation, backup: Path) -> None:
    rewrite(backup, manifest=2, release="8.0.0")
    with pytest.raises(BackupError, match=r"8\.0\.0"):
        installed.restore(backup, force=True)


def test_nothing_is_replaced_under_a_daemon_or_a_run(installed: Installation, backup: Path) -> None:
    before = files(installed.folder)
    with pytest.raises(BackupError, match="daemon is running"):
        installed.restore(backup, force=True, in_use=lambda: "Dagster's daemon is running")
    assert files(installed.folder) == before


def test_a_disk_that_fills_up_on_the_way_changes_nothing(
    installed: Installation, backup: Path, tiny_disk: Path
) -> None:
    installed.storage.replace("events/dt=2026-11-28/data.parquet", b"x" * 2_000_000)
    large = backup.with_name("large")
    installed.back_up(large)
    on_tiny = Installation(tiny_disk)
    on_tiny.places.ledger.parent.mkdir()
    on_tiny.places.ledger.write_bytes(b"another ledger")
    with pytest.raises(BackupError, match="No space left"):
        on_tiny.restore(large, force=True)
    assert files(tiny_disk) == files(tiny_disk) | {
        "messaging/ledger.sqlite": hashlib.sha256(b"another ledger").hexdigest()
    }
    assert len(files(tiny_disk)) == 1


def test_a_rename_that_fails_takes_the_earlier_ones_back(
    installed: Installation, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.storage.replace("users/data.parquet", b"newer")
    before = files(installed.folder)
    rename = Path.rename

    def failing(source: Path, target: Path) -> Path:
        if source.name == "lake.restoring":
            raise PermissionError(13, "Permission denied", str(target))
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(BackupError, match="Permission denied"):
        installed.restore(backup, force=True)
    assert files(installed.folder) == before


def test_a_lake_on_a_disk_of_its_own_is_filled_in_place(
    installed: Installation, backup: Path, tiny_disk: Path
) -> None:
    mounted = Installation(tiny_disk.parent / "mounted")
    mounted.folder.mkdir()
    (mounted.folder / "lake").symlink_to(tiny_disk)
    mounted.restore(backup)
    assert mounted.storage.read("users/data.parquet") == b"users"
    assert sorted(path.name for path in tiny_disk.iterdir()) == ["events", "platform", "users"]
    with pytest.raises(BackupError, match="a disk of its own"):
        mounted.restore(backup, force=True)


def test_a_backup_inside_of_what_it_would_replace_is_refused(
    installed: Installation, backup: Path
) -> None:
    moved = installed.folder / "lake/kept"
    shutil.move(backup, moved)
    with pytest.raises(BackupError, match="lies inside"):
        installed.restore(moved, force=True)


def test_a_backup_without_the_lake_leaves_the_lake_alone(
    installed: Installation, target: Path
) -> None:
    installed.back_up(target, with_lake=False)
    shutil.rmtree(installed.folder / "messaging")
    shutil.rmtree(installed.folder / "dagster_home")
    installed.storage.replace("users/data.parquet", b"newer")
    installed.restore(target)
    assert installed.storage.read("users/data.parquet") == b"newer"
    assert installed.suppressed() == "test"
