"""Every command writes to a terminal or file of any encoding."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conversion_platform_tests.marketplace.world import World

COMMAND = str(Path(sys.executable).parent / "conversion-platform")


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_a_screen_is_written_in_an_encoding_that_has_no_lines(
    tmp_path: Path, encoding: str
) -> None:
    file = World(tmp_path).fill().folder / "conversion_platform.toml"
    assert World(tmp_path).settings
    done = subprocess.run(
        [COMMAND, "--config", str(file), "check-sources"],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    screen = done.stdout.decode(encoding)
    assert done.stderr.decode(encoding) == ""
    assert "users" in screen
    assert "-----" in screen
