"""docs/sources.md lists every reason code, contract column and Postgres setting there is."""

from __future__ import annotations

import re
from pathlib import Path

from conversion_platform.marketplace import EVENTS, JOBS, REASONS, TABLES, USERS
from conversion_platform.settings import EntitySection, InputSection

DOCS = (Path(__file__).parents[2] / "docs/sources.md").read_text()


def test_every_reason_is_in_its_table() -> None:
    assert [reason for reason in REASONS if f"| `{reason}` |" not in DOCS] == []


def test_the_page_on_privacy_names_every_personal_table() -> None:
    page = (Path(__file__).parents[2] / "docs/privacy.md").read_text()
    told = page.partition("## Personal tables")[2].partition("## ")[0]
    assert [one.name for one in TABLES if one.personal and f"`{one.name}`" not in told] == []


def test_every_contract_column_is_named() -> None:
    names = [column.name for table in (USERS, JOBS, EVENTS) for column in table.columns]
    assert [name for name in names if f"`{name}`" not in DOCS] == []


def test_every_setting_of_a_source_is_named() -> None:
    """In backquotes: `path`, `sql` and `table` are words of any page."""
    keys = {*InputSection.model_fields, *EntitySection.model_fields}
    named = set(re.findall(r"`(?:sources\.\*\.)?(\w+)(?: = [^`]*)?`", DOCS))
    assert keys - named == set()


def test_a_sample_of_the_screen_is_shown() -> None:
    sample = DOCS.partition("## The screen of")[2].partition("## Faults")[0]
    for part in (
        "Source",
        "Row rejected because",
        "Cell missing because",
        "Days",
        "Conversion",
        "Texting",
        "Attributes",
        "Missing",
    ):
        assert f" {part} " in sample
