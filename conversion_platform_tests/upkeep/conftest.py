"""What the tests of upkeep share."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion_platform_tests.upkeep.installation import Installation


@pytest.fixture
def installed(tmp_path: Path) -> Installation:
    """A small installation."""
    return Installation(tmp_path / "platform").make()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder for a backup that is not there yet."""
    return tmp_path / "backup"
