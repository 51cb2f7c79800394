"""Settings and a fitted candidate on the small world, for the tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion_platform.settings import Settings, load_settings

WINDOWS = """
[platform]
start_date = 2026-01-01
[training]
train_days = 12
validation_days = 4
test_days = 4
max_examples = 100000
trees = 40
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Windows that fit the small world."""
    file = tmp_path / "conversion_platform.toml"
    file.write_text(WINDOWS)
    return load_settings(file)
