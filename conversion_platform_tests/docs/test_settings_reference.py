"""docs/settings.md says what the code says."""

from __future__ import annotations

from pathlib import Path

from conversion_platform.settings.reference import describe, reference_table

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_settings_page_holds_the_tables_that_the_code_generates() -> None:
    start = "prints them); a test keeps them in step.\n\n"
    generated = PAGE.read_text(encoding="utf-8").partition(start)[2]
    assert generated == reference_table(), (
        "docs/settings.md is behind: replace what follows its introduction by the output of "
        "`python -m conversion_platform.settings`"
    )


def test_every_setting_stands_on_the_settings_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for setting in describe():
        assert f"`{setting.key}`" in text
        assert f"`[{'.'.join(setting.section)}]`" in text
