"""One small world, built once; tests that publish further days work on a copy."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from conversion_platform.simulator import World, build

TINY = World.tiny()
NEXT_DAY = TINY.days.last + timedelta(days=1)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    build(TINY, folder)
    return folder


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    return folder
