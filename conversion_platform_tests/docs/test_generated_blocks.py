"""The generated tables of the docs are what the code generates."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from conversion_platform.features.builtin import builtin_features
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
    blocks = "".join(re.findall(r"<!-- generated: .*?<!-- end -->", text, re.DOTALL))
    told = [name for row in re.findall(r"^\| `.*", blocks, re.MULTILINE) for name in _names(row)]
    assert sorted(told) == sorted(feature.name for feature in builtin_features())


def _names(row: str) -> list[str]:
    """The features of a row such as | `user_clicks_Nd`, `user_conversions_Nd`, N = 1, 7 | ... |."""
    names, _, windows = row.split(" |")[0].removeprefix("| ").partition(", N = ")
    return [
        name.strip("`").replace("_Nd", f"_{days}d")
        for name in names.split(", ")
        for days in windows.split(", ")
    ]
