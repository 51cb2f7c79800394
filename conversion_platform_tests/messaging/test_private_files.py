"""Files with phone numbers are private, also where an earlier release left them open."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversion_platform.messaging import Ledger
from conversion_platform.messaging.providers.sandbox import Sandbox
from conversion_platform.settings import Settings

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in sorted(folder.iterdir())}


def write(path: Path, settings: Settings) -> dict[str, int]:
    """Open ledger and sandbox in a folder, write, and return the modes while they are in use."""
    behaviour = settings.messaging.sandbox
    with Ledger(path / "ledger.sqlite") as ledger, ledger.exclusive():
        ledger.suppress("+15125550123", NOW, "stop", "test")
        sandbox = Sandbox(path / "sandbox.sqlite", behaviour)
        found = modes(path)
        sandbox.close()
    return found


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_ledger_and_sandbox_with_the_files_beside_them_are_private(
    tmp_path: Path, settings: Settings, umask: int
) -> None:
    import os

    before = os.umask(umask)
    try:
        found = write(tmp_path / "messaging", settings)
    finally:
        os.umask(before)
    assert {"ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "sandbox.sqlite"} < set(
        found
    )
    assert set(found.values()) == {0o600}


def test_what_was_left_open_is_closed_when_it_is_opened(tmp_path: Path, settings: Settings) -> None:
    write(tmp_path / "messaging", settings)
    for file in (tmp_path / "messaging").iterdir():
        file.chmod(0o644)
    found = write(tmp_path / "messaging", settings)
    assert set(found.values()) == {0o600}
