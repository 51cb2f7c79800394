"""What the tests of several rooms share."""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from conversion_platform.lake import Lake, Session, open_lake
from conversion_platform.settings import CONFIG_VARIABLE, Settings, load_settings
from conversion_platform_tests.servers import postgres, s3, s3_environment
from conversion_platform_tests.tiny_platform import copies, lived, platform

__all__ = ["copies", "lived", "platform", "postgres", "s3", "s3_environment"]

if TYPE_CHECKING:
    import duckdb

ROOT = Path(__file__).parent

# How fast an example runs says nothing on a machine that others share.
hypothesis_settings.register_profile(
    "shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("shared-machine")


# Each case of these tests loads sources of its own. Of a test with many cases `make test` takes a
# few; `make test-slow`, which CI runs too, takes the others.
LOADING = ("marketplace", "preflight")
FEW = 3


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what is beyond a few cases, spread over all, of a test that loads sources."""
    cases: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.path.is_relative_to(ROOT) and item.path.relative_to(ROOT).parts[0] in LOADING:
            cases[item.nodeid.partition("[")[0]].append(item)
    for found in cases.values():
        few = {place * (len(found) - 1) // (FEW - 1) for place in range(FEW)}
        for place, item in enumerate(found):
            if place not in few:
                item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings must not change what the tests see."""
    for variable in list(os.environ):
        if variable == CONFIG_VARIABLE or variable.upper().startswith("CONVERSION_PLATFORM__"):
            monkeypatch.delenv(variable)


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
    with lake.connect() as connection:
        yield connection


@pytest.fixture
def session(settings: Settings, lake: Lake, con: duckdb.DuckDBPyConnection) -> Session:
    """Return settings, lake and connection as one object."""
    return Session(settings, lake, con)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, where this machine lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
