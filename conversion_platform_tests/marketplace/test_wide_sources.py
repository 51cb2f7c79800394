"""Exports with hundreds of columns, and the cheap forms in which most values are read."""

from __future__ import annotations

import csv
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversion_platform.marketplace import ATTRIBUTES, USERS
from conversion_platform_tests.marketplace.world import World

WIDE = 250
MOST_SECONDS = 60  # of the processor: it takes 5, and took more than 480


def _users(folder: Path, columns: dict[str, list[str]]) -> None:
    """Write users with further columns, all of them as many texts."""
    rows = zip(*columns.values(), strict=True)
    with (folder / "users.csv").open("w", encoding="utf-8", newline="") as target:
        out = csv.writer(target)
        out.writerow(["user_id", *columns])
        out.writerows([number, *row] for number, row in enumerate(rows, start=1))


def _world(folder: Path, columns: dict[str, list[str]], setting: str = "") -> World:
    _users(folder, columns)
    listed = f"attributes = {json.dumps(list(columns))}\n"
    toml = f'memory_limit = "1GB"\n[sources.users]\npath = "users.csv"\n{listed}{setting}\n'
    return World(folder, toml).fill()


def test_an_export_of_hundreds_of_columns_is_loaded_in_seconds_and_little_memory(
    tmp_path: Path,
) -> None:
    texts = (["3", "1.5", "9"], ["day", "night", "day"], ["2026-01-31", "2026-02-01", ""])
    built = _world(tmp_path, {f"c{place}": list(texts[place % 3]) for place in range(WIDE)})
    begun = time.process_time()
    built.attributes()
    assert time.process_time() - begun < MOST_SECONDS
    kinds = dict(built.rows(ATTRIBUTES, "column_name, kind"))
    assert len(kinds) == WIDE
    assert [kinds["c0"], kinds["c1"], kinds["c2"]] == ["numeric", "categorical", "timestamp"]


JANUARY_31 = datetime(2026, 1, 31, tzinfo=UTC)
FORMS = {
    "plain": (["3", "-1.5", "2e3"], [3.0, -1.5, 2000.0]),
    "instant": (["2026-01-31T00:00:00Z", "2026-01-31T00:00:00.000Z"], [JANUARY_31] * 2),
    "dated": (["2026-01-31", "2026/1/31 00:00", "2026-01-31T00:00:00"], [JANUARY_31] * 3),
}


@pytest.mark.parametrize("form", list(FORMS))
def test_a_value_of_a_cheap_form_is_read_as_among_values_of_other_forms(
    tmp_path: Path, form: str
) -> None:
    texts, values = FORMS[form]
    other = "$7/hr" if form == "plain" else "2026-01-31 01:00:00+01"
    columns = {"alone": [*texts, ""], "among": [*texts, other]}
    built = _world(tmp_path, columns, 'time_zone = "UTC"')
    built.load_users()
    found = built.rows(USERS, "alone, among", "user_id::INT")
    assert [alone for alone, _ in found] == [*values, None]
    assert [among for _, among in found][:-1] == values


@pytest.mark.parametrize(
    ("texts", "setting", "kind"),
    [
        (["1.5", "2.5"], 'decimal = ","', "categorical"),  # 1.5 groups no digits by three
        (["15", "25"], 'decimal = ","', "numeric"),
        (["1e400", "2"], "", "categorical"),
        (["02134", "12"], "", "categorical"),
        (["2026-31-01", "2026-02-01"], 'date_format = "%Y-%d-%m"', "timestamp"),
        (["2026-31-01", "2026-02-01"], "", "categorical"),
        (["0026-01-31", "2026-02-01"], "", "categorical"),
        (["0026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"], "", "categorical"),
    ],
)
def test_a_cheap_form_is_not_taken_where_the_settings_or_the_limits_say_otherwise(
    tmp_path: Path, texts: list[str], setting: str, kind: str
) -> None:
    built = _world(tmp_path, {"given": texts}, setting)
    built.attributes()
    assert built.rows(ATTRIBUTES, "kind") == [(kind,)]


def test_a_year_of_two_digits_that_is_read_as_the_year_26_makes_no_time(tmp_path: Path) -> None:
    built = _world(tmp_path, {"seen": ["01/10/26", "02/10/26"]}, 'date_format = "%m/%d/%Y"')
    built.attributes()
    assert built.rows(ATTRIBUTES, "kind") == [("categorical",)]


def test_an_end_in_the_far_future_is_a_missing_time(tmp_path: Path) -> None:
    built = _world(tmp_path, {"until": ["2026-01-31", "9999-12-31"]}, 'time_zone = "UTC"')
    built.load_users()
    assert built.rows(USERS, "until", "user_id::INT") == [(JANUARY_31,), (None,)]
