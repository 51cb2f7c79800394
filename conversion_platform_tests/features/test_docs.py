from __future__ import annotations

from pathlib import Path

import pytest

from conversion_platform.features.catalogue import builtin_features

PAGE = Path(__file__).parents[2] / "docs" / "features.md"


@pytest.mark.parametrize("level", ["user", "job", "pair"])
def test_every_feature_is_documented_as_it_is_described(level: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    missing = [
        feature.name
        for feature in builtin_features()
        if feature.level == level and f"| `{feature.name}` | {feature.description} |" not in text
    ]
    assert not missing


def test_the_page_lists_no_feature_that_is_not_there() -> None:
    names = {feature.name for feature in builtin_features()}
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "| `" in line]
    listed = [line.split("`")[1] for line in rows if line.startswith("| `")]
    assert set(listed) == names
    assert len(listed) == len(names)
