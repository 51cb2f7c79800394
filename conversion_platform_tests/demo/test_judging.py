"""How the demo judges by the truth, apart from any run."""

from __future__ import annotations

import pytest

from conversion_platform.demo.judging import weakest_words


@pytest.mark.parametrize(
    ("low", "words"),
    [(-0.01, "not shown to be better for miami"), (0.01, "least better for miami")],
)
def test_the_weakest_segment_is_named_with_how_sure_it_is(low: float, words: str) -> None:
    found = {
        "segment": "miami", "slates": 1200, "segments": 9, "value": 0.02, "low": low, "high": 0.05,
    }  # fmt: skip
    assert words in weakest_words(found)
    assert "1,200 slates (9 segments compared)" in weakest_words(found)


def test_without_enough_slates_no_segment_is_named() -> None:
    assert weakest_words(None) == "no segment has 100 slates"
