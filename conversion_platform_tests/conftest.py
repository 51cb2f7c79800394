"""What the tests of several rooms share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conversion_platform.lake import Lake, open_lake
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.servers import postgres, s3, s3_environment

__all__ = ["postgres", "s3", "s3_environment"]

if TYPE_CHECKING:
    import duckdb


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings must not change what the tests see."""
    monkeypatch.delenv("CONVERSION_PLATFORM_CONFIG", raising=False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Default settings whose paths start in the test's own folder."""
    file = tmp_path / "conversion_platform.toml"
    file.write_text("")
    return load_settings(file)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    """A local lake in the test's own folder."""
    return open_lake(settings)


@pytest.fixture
def con(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB session on that lake."""
    with lake.session() as connection:
        yield connection
