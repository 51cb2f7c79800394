"""A full disk is one message, whichever of the platform's files the disk holds."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from conversion_platform.errors import DiskFullError, LakeError
from conversion_platform.runs.instance import open_instance
from conversion_platform.runs.instance_errors import readable_instance_errors
from conversion_platform_tests.command import ended, start
from conversion_platform_tests.tiny_platform import NEXT, digests, settings_in

FULL = "Error: The disk that holds Dagster's instance in "


def fill(disk: Path, leaving: int) -> None:
    """Leaves that many bytes free."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with (disk / "ballast").open("wb") as file:
        file.write(b"\0" * (free - leaving))


def one_message(errors: str) -> str:
    """The only message of a command that failed as it should."""
    lines = errors.strip().splitlines()
    assert len(lines) == 2, errors
    assert lines[0].startswith("Error: ") and lines[1].startswith("What to do: "), errors
    return lines[0]


@pytest.mark.parametrize(
    "leaving",
    [8_000, *(pytest.param(size, marks=pytest.mark.slow) for size in (0, 500_000, 1_040_000))],
)
def test_a_run_on_a_disk_that_is_full_or_fills_up_says_so_once(
    platform: Path, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch, leaving: int
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tiny_disk / "home"))
    monkeypatch.setattr(
        "conversion_platform_tests.command.environment",
        lambda: {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    before = digests(platform / "lake", "users")
    if leaving < 1_040_000:
        fill(tiny_disk, leaving)
    code, output, errors = ended(start(platform, "run", "--from", str(NEXT)))
    assert code == 1
    assert one_message(errors).startswith(f"{FULL}{tiny_disk / 'home'}")
    assert "Traceback" not in output
    assert digests(platform / "lake", "users") == before


@pytest.mark.parametrize("leaving", [0, 300_000])
def test_a_demo_on_a_full_disk_says_so_once(tiny_disk: Path, tmp_path: Path, leaving: int) -> None:
    fill(tiny_disk, leaving)
    (tmp_path / "conversion_platform.toml").write_text("")
    code, _, errors = ended(start(tmp_path, "demo", "--folder", str(tiny_disk / "demo")))
    assert code == 1
    assert "is full" in one_message(errors)


def test_other_commands_say_it_too(tiny_disk: Path) -> None:
    fill(tiny_disk, 0)
    code, _, errors = ended(start(tiny_disk, "init"))
    assert code == 1
    assert "The disk that this command writes to is full" in one_message(errors)


def test_a_prune_is_possible_where_a_run_is_not(platform: Path) -> None:
    code, output, errors = ended(start(platform, "prune", "--older-than", "1"))
    assert (code, errors) == (0, "")
    assert output.startswith("Removed 0 runs and 0 ticks")


def raised(code: int, name: str) -> OperationalError:
    """What SQLAlchemy makes of an error of SQLite."""
    cause = sqlite3.OperationalError(name)
    cause.sqlite_errorcode = code
    return OperationalError("INSERT", {}, cause)


@pytest.mark.parametrize(
    ("code", "name", "remedy"),
    [
        (sqlite3.SQLITE_READONLY, "attempt to write a readonly database", "write access"),
        (sqlite3.SQLITE_IOERR_READ, "disk I/O error", "Check that disk"),
        (sqlite3.SQLITE_CORRUPT, "database disk image is malformed", "backup"),
        (sqlite3.SQLITE_NOTADB, "file is not a database", "backup"),
    ],
)
def test_databases_that_cannot_be_used_are_named_with_what_to_do(
    tmp_path: Path, code: int, name: str, remedy: str
) -> None:
    with pytest.raises(LakeError, match=name) as caught, readable_instance_errors(tmp_path):
        raise raised(code, name)
    assert not isinstance(caught.value, DiskFullError)
    assert remedy in caught.value.remedy


def test_an_error_that_is_a_fault_of_ours_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(OperationalError), readable_instance_errors(tmp_path):
        raise raised(sqlite3.SQLITE_ERROR, "no such column")


def test_an_error_about_another_file_is_not_blamed_on_the_instance(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), readable_instance_errors(tmp_path / "home"):
        raise PermissionError(13, "Permission denied", str(tmp_path / "source"))


def test_a_damaged_instance_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "conversion_platform.toml").write_text("")
    with open_instance(settings_in(tmp_path)):
        pass
    (tmp_path / "dagster_home/history/runs.db").write_bytes(b"not a database" * 1000)
    with (
        pytest.raises(LakeError, match="cannot be used"),
        open_instance(settings_in(tmp_path)) as instance,
    ):
        instance.get_runs()
