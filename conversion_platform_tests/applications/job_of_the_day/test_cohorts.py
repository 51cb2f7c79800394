"""A cohort's predicate is one expression, and its errors name the cohort."""

from __future__ import annotations

import traceback
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conversion_platform.applications.job_of_the_day import assign_days
from conversion_platform.days import DayRange
from conversion_platform.errors import SettingsError
from conversion_platform.lake import Session
from conversion_platform_tests.applications.job_of_the_day.world import (
    assignments,
    configured,
    write_day,
)

if TYPE_CHECKING:
    pass

DAY = date(2026, 3, 10)


def chosen(session: Session, tmp_path: Path, where: str, **user: str) -> bool:
    """Whether one user with a few visits is in the cohort."""
    settings = configured(tmp_path, f"[cohorts.tested]\nwhere = '''{where}'''\n")
    write_day(session, DAY, {"u": [("a", 0.3)]}, [{"user_id": "u", **user}], {"u": 3})
    assign_days(Session(settings, session.lake, session.con), DayRange.of(DAY))
    return "u" in assignments(session, DAY)


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ("true", True),
        ("visits >= 3", True),
        ("visits > 3 -- not enough", False),
        ("state IN ('MA', 'NH') AND consent_at IS NULL", True),
        ("state IN ('NY')", False),
        ("created_at < day - INTERVAL 30 DAY", True),
        ("CASE WHEN visits > 1 THEN shift = 'night' END", False),
        ("contains(lower(skills), 'nurse')", True),
        ("desired_pay > 10", False),
    ],
)
def test_a_predicate_sees_the_users_columns_the_features_and_the_day(
    session: Session, tmp_path: Path, where: str, fits: bool
) -> None:
    user = {"state": "MA", "skills": "Nurse|cook", "shift": "day"}
    assert chosen(session, tmp_path, where, **user) is fits


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("visits >", "syntax error"),
        ("(visits > 1", "syntax error"),
        ("true; DROP TABLE members", "syntax error"),
        ("true); SELECT (true", "not a single expression"),
        ("true); DROP TABLE members; SELECT (true", "Only SELECT"),
        ("true) FROM (SELECT 1", "not a single expression"),
        ("true), (false", "not a single expression"),
        ("true) WHERE (true", "not a single expression"),
        ("true) ORDER BY (1", "not a single expression"),
        ("true) UNION SELECT (true", "not a single expression"),
        ("user_id IN (SELECT content FROM read_text('/etc/passwd'))", "subquery"),
        ("EXISTS (SELECT 1)", "subquery"),
        ("visits = ?", "parameter"),
        ("visits = $day", "parameter"),
        ("random() < 0.5", "random changes from run to run"),
        ("created_at < now()", "now changes from run to run"),
        ("created_at < Today()", "today changes from run to run"),
        ("created_at < current_date", "current_date changes from run to run"),
        ("created_at < CURRENT_TIMESTAMP", "current_timestamp changes"),
        ("getvariable('x')", "getvariable changes"),
        ("vists > 1", 'Referenced column "vists" not found'),
        ("no_such_function(visits)", "no_such_function"),
        ("count(*) > 1", "aggregate"),
        ("row_number() OVER () = 1", "window"),
        ("CAST(state AS INTEGER) > 1", "Could not convert string"),
        ("*", "STAR expression"),
    ],
)
def test_a_predicate_that_cannot_be_used_names_its_cohort_and_why(
    session: Session, tmp_path: Path, where: str, why: str
) -> None:
    with pytest.raises(SettingsError, match="cohort `tested`") as caught:
        chosen(session, tmp_path, where, state="MA")
    assert why.lower() in str(caught.value).lower()
    assert f"cohorts.tested.where = {where!r}" in str(caught.value)


def test_a_users_value_that_does_not_cast_is_not_in_the_message_nor_behind_it(
    session: Session, tmp_path: Path
) -> None:
    value = "+12125550123"
    with pytest.raises(SettingsError, match="Could not convert string") as caught:
        chosen(session, tmp_path, "CAST(state AS INTEGER) > 1", state=value)
    assert value not in "".join(traceback.format_exception(caught.value))


def test_a_refused_predicate_leaves_the_day_as_it_was(session: Session, tmp_path: Path) -> None:
    assert chosen(session, tmp_path, "true")
    with pytest.raises(SettingsError):
        chosen(session, tmp_path, "nothing_like_it")
    assert "u" in assignments(session, DAY)
    assert chosen(session, tmp_path, "true")
