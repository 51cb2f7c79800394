"""The page on texting names every rule, state, variable and wording kind there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conversion_platform.messaging import rules as rules_module
from conversion_platform.messaging.tables import STATES, TABLES
from conversion_platform.messaging.templates import VARIABLES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "messaging.md").read_text(encoding="utf-8")


def _ids() -> list[str]:
    found = rules_module.rules()
    everything = (*found.hours, *found.frequency, *found.keywords, *found.wordings)
    return [rule.rule_id for rule in everything]


@pytest.mark.parametrize("name", [*_ids(), *STATES, *VARIABLES, *(t.name for t in TABLES)])
def test_every_rule_state_variable_and_table_is_documented(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_reason_in_the_code_is_documented() -> None:
    package = ROOT / "conversion_platform" / "messaging"
    code = "".join(path.read_text(encoding="utf-8") for path in package.glob("*.py"))
    reasons = set(re.findall(r"(?:Suppress|Defer)\((?:until, )?\"(\w+)\"", code))
    reasons |= set(re.findall(r"\"(day_over|carrier_opt_out|refused|undelivered)\"", code))
    reasons |= set(re.findall(r"reason = '(\w+)'", code))
    assert len(reasons) >= 14
    assert {reason for reason in reasons if f"`{reason}`" not in PAGE} == set()


@pytest.mark.parametrize("keyword", sorted(rules_module.rules().keywords[0].words))
def test_every_stop_keyword_is_documented(keyword: str) -> None:
    assert keyword.upper().replace(" ", "-") in PAGE
