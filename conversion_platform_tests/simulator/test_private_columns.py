"""The simulated users have personal columns and protected attributes that decide nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from conversion_platform.marketplace.columns import by_name
from conversion_platform.simulator.private_columns import private_columns
from conversion_platform_tests.simulator.reading import ask, one

PERSONAL = (
    *("first_name", "last_name", "email", "date_of_birth", "next_of_kin", "home_address", "note"),
)


def test_a_user_keeps_the_same_personal_columns_whoever_else_there_is() -> None:
    many, few = private_columns(7, np.arange(50)), private_columns(7, np.arange(10, 20))
    assert {name: column[10:20].to_pylist() for name, column in many.items()} == {
        name: column.to_pylist() for name, column in few.items()
    }
    assert private_columns(8, np.arange(50))["gender"] != many["gender"]


def test_they_are_what_their_names_say() -> None:
    names = private_columns(7, np.arange(3)).keys()
    kinds = {name: by_name("users", name).kind for name in names}
    assert kinds == dict.fromkeys(PERSONAL, "personal") | {
        "gender": "protected",
        "age": "protected",
    }


def test_protected_attributes_say_nothing_of_the_outcome(built: Path) -> None:
    users = one(built, "SELECT count(*) FROM users")
    assert one(built, "SELECT count(DISTINCT email) FROM users") == users
    rates = ask(
        built,
        """SELECT gender, avg(n), count(*) FROM (
            SELECT u.user_id, any_value(gender) AS gender,
                count(*) FILTER (event_type = 'application') AS n
            FROM users u LEFT JOIN events USING (user_id) GROUP BY 1
        ) GROUP BY 1 HAVING count(*) > 100""",
    )
    assert len(rates) == 2
    (_, left, n), (_, right, m) = rates
    spread = (max(left, right, 0.1) * (1 / n + 1 / m)) ** 0.5
    assert abs(left - right) < 5 * spread
