"""Arms are stable, equal in SQL and Python, and as large as asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion_platform.experiments import HOLDOUT, TREATMENT, arm_of, arm_sql

if TYPE_CHECKING:
    import duckdb

IDS = ["1", "user-7", "", "ü|'", "x" * 80, *[f"u{number}" for number in range(500)]]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("salt", ["job-of-the-day", "it's", ""])
def test_sql_and_python_put_every_user_in_the_same_arm(
    con: duckdb.DuckDBPyConnection, salt: str, share: float
) -> None:
    rows = con.execute(
        f"SELECT u, {arm_sql('u', salt, share)} FROM (SELECT unnest(?) AS u)", [IDS]
    ).fetchall()
    assert dict(rows) == {user: arm_of(user, salt, share) for user in IDS}


@given(st.text(), st.text())
def test_a_share_of_zero_holds_nobody_out_and_a_share_of_one_everybody(
    user: str, salt: str
) -> None:
    assert arm_of(user, salt, 0.0) == TREATMENT
    assert arm_of(user, salt, 1.0) == HOLDOUT


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_keeps_those_already_held_out(user: str, one: float, two: float) -> None:
    small, large = sorted((one, two))
    if arm_of(user, "s", small) == HOLDOUT:
        assert arm_of(user, "s", large) == HOLDOUT


def test_the_holdout_is_about_as_large_as_asked_for() -> None:
    held = sum(arm_of(str(number), "s", 0.1) == HOLDOUT for number in range(20_000))
    assert 1850 < held < 2150


def test_another_salt_draws_another_holdout() -> None:
    one = [arm_of(user, "one", 0.5) for user in IDS]
    two = [arm_of(user, "two", 0.5) for user in IDS]
    assert 0.3 < sum(a == b for a, b in zip(one, two, strict=True)) / len(IDS) < 0.7
