"""The generated tables of the docs are what the code generates."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conversion_platform.features.catalogue import builtin_features
from conversion_platform.settings.reference import describe

ROOT = Path(__file__).parents[2]


def test_every_generated_block_is_on_a_page_and_in_step_with_the_code() -> None:
    command = [sys.executable, ROOT / "docs" / "generate.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_is_told_under_its_section() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    missing = [
        one.name
        for one in describe()
        if f"| `{one.key}` |" not in text or f"`[{'.'.join(one.section)}]`" not in text
    ]
    assert not missing


def test_every_feature_is_told_alone_or_in_the_row_of_its_windows() -> None:
    text = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in _names(row)}
    assert {feature.name for feature in builtin_features()} <= told


def _names(row: str) -> list[str]:
    """The features of a row such as | `user_clicks_Nd`, N = 1, 7 | ... |."""
    name, _, windows = row.split(" |")[0].removeprefix("| `").partition("`, N = ")
    if not windows:
        return [name.removesuffix("`")]
    return [name.replace("_Nd", f"_{days}d") for days in windows.split(", ")]
