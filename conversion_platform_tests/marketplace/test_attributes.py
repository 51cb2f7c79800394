"""Further columns of users and jobs find their kind by themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conversion_platform.marketplace import (
    ATTRIBUTES,
    USERS,
    infer_attributes,
    known_kinds,
    load_jobs,
    load_users,
)
from conversion_platform_tests.marketplace.world import World, write_csv, write_parquet

JANUARY_2 = datetime(2026, 1, 2, tzinfo=UTC)
MANY = (
    'SELECT i AS user_id, i % 7 AS "Years.Worked", (i % 2 = 0) AS vip, '
    "TIMESTAMPTZ '2025-01-01 00:00:00+00' + to_days(i::INT) AS \"lastLogin\", "
    "'level ' || (i % 3) AS level, 'Name ' || i AS name, repeat('word ', 20) || (i % 3) AS about, "
    "NULL::VARCHAR AS nothing, 'same' AS country, i * 1000 AS company_id, '0' || (i % 4) AS plan "
    "FROM range(1, 200) t(i)"
)
EXPECTED = {
    "years_worked": "numeric",
    "vip": "boolean",
    "last_login": "timestamp",
    "level": "categorical",
    "name": "text",
    "about": "text",
    "nothing": "categorical",
    "country": "categorical",
    "company_id": "text",
    "plan": "categorical",
}


def _found(built: World) -> dict[str, str]:
    rows = built.rows(ATTRIBUTES, "column_name, kind, used, reason")
    assert all(used == (reason is None) for _, _, used, reason in rows)
    return {name: kind for name, kind, _, _ in rows}


def _used(built: World) -> set[str]:
    return {name for name, used in built.rows(ATTRIBUTES, "column_name, used") if used}


def _toml(form: str, *listed: str) -> str:
    return f'[sources.users]\npath = "{form}"\nattributes = {json.dumps(listed)}\n'


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_kinds_are_the_same_from_typed_columns_and_from_text(tmp_path: Path, form: str) -> None:
    (write_parquet if form == "parquet" else write_csv)(MANY, tmp_path / f"users.{form}")
    built = World(tmp_path, _toml(f"users.{form}")).fill()
    built.attributes()
    assert _found(built) == EXPECTED
    assert _used(built) == set()


def test_order_of_rows_does_not_change_what_is_found(tmp_path: Path) -> None:
    built = World(tmp_path).fill(users=f"SELECT * FROM ({MANY}) ORDER BY md5(user_id::VARCHAR)")
    built.attributes()
    assert _found(built) == EXPECTED


def test_what_the_settings_list_becomes_a_feature_and_nothing_else(tmp_path: Path) -> None:
    toml = _toml("source/users.parquet", "Years.Worked", "name", "nothing")
    built = World(tmp_path, toml).fill(users=MANY)
    built.attributes()
    assert _used(built) == {"years_worked", "name"}
    assert _found(built)["name"] == "categorical"
    own = [column.name for column in USERS.columns]
    assert built.columns(USERS) == [*own, "years_worked", "name", "nothing"]
    assert built.rows(USERS, "count(name), count(about)", "1") == [(199, 199)]


def test_a_further_column_never_takes_the_place_of_a_contract_column(tmp_path: Path) -> None:
    toml = '[sources.users]\npath = "source/users.parquet"\ncolumns = { region = "metro" }\n'
    users = "SELECT 1 AS user_id, 'Austin' AS metro, 'south' AS region"
    built = World(tmp_path, toml).fill(users=users)
    built.load_users()
    assert built.rows(USERS, "region, region_2") == [("Austin", "south")]


def test_attributes_of_jobs_and_users_stand_side_by_side(tmp_path: Path) -> None:
    built = World(tmp_path).fill(
        users="SELECT i AS user_id, i % 2 AS a FROM range(9) t(i)",
        jobs="SELECT i AS job_id, i % 2 AS b FROM range(9) t(i)",
    )
    built.load()
    assert built.rows(ATTRIBUTES, "table_name, column_name") == [("jobs", "b"), ("users", "a")]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_phone_numbers_that_nobody_mapped_become_no_feature(tmp_path: Path, form: str) -> None:
    rows = (
        "SELECT i AS user_id, 2135550000 + i AS \"Mobile\", '+1' || (2135550000 + i) AS contact "
        "FROM range(1, 200) t(i)"
    )
    (write_parquet if form == "parquet" else write_csv)(rows, tmp_path / f"users.{form}")
    built = World(tmp_path, _toml(f"users.{form}")).fill()
    built.attributes()
    assert _found(built) == {"mobile": "text", "contact": "text"}
    assert set(built.rows(ATTRIBUTES, "privacy")) == {("personal",)}


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        (["1", "2.5"], ["3+", "2.5"], [None, 2.5]),
        (["yes", "no"], ["maybe", "no"], [None, False]),
        (["2026-01-02T00:00:00Z"] * 2, ["soon", "2026-01-02T00:00:00Z"], [None, JANUARY_2]),
        (["day", "night"], ["1", "2"], ["1", "2"]),
    ],
)
def test_a_kind_that_a_model_knows_stays_and_a_cell_that_does_not_fit_is_missing(
    tmp_path: Path, before: list[str], after: list[str], kept: list[Any]
) -> None:
    built = World(tmp_path, '[sources.users]\npath = "users.csv"\n').fill()
    _write_users(tmp_path, before)
    built.attributes()
    _write_users(tmp_path, after)
    with built.session() as session:
        loaded = load_users(session, known_kinds(session, "users"))
    found = built.rows(USERS, "experience", "user_id")
    assert [value for (value,) in found] == kept
    missing = kept.count(None)
    assert [(one.column, one.rows) for one in loaded.unread] == [("experience", 1)] * missing


def test_a_kind_follows_its_values_while_no_model_knows_it(tmp_path: Path) -> None:
    built = World(tmp_path, '[sources.users]\npath = "users.csv"\n').fill()
    _write_users(tmp_path, ["1", "2.5"])
    built.attributes()
    _write_users(tmp_path, ["3+", "2.5"])
    assert built.load_users().unread == ()
    assert built.rows(USERS, "experience", "user_id") == [("3+",), ("2.5",)]


def _write_users(folder: Path, values: list[str]) -> None:
    rows = "".join(f"{place},{value}\n" for place, value in enumerate(values))
    (folder / "users.csv").write_text(f"user_id,experience\n{rows}")


def test_numbers_that_look_like_ids_are_not_proposed_and_pay_and_ratings_are(
    tmp_path: Path,
) -> None:
    """An id of a person, by whatever name it goes, tells a model who somebody is."""
    users = (
        "SELECT i AS user_id, 46454286 + i * 7919 AS dni, (130692544 + i * 1237)::VARCHAR AS boss, "
        "90000 + i * 250 AS salary, 120000.5 + i AS earned, i % 5 AS rating, i * 31 AS views "
        "FROM range(1, 200) t(i)"
    )
    built = World(tmp_path).fill(users=users)
    with built.session() as session:
        load_users(session)
        load_jobs(session)
        found = {one.column_name: one for one in infer_attributes(session)}
    assert {name for name, one in found.items() if one.proposed} == {
        *("salary", "earned", "rating", "views"),
    }
    assert found["dni"].unsuitable == "its numbers look like ids"


def test_a_listed_number_that_looks_like_an_id_is_used(tmp_path: Path) -> None:
    users = "SELECT i AS user_id, 4645428 + i * 7919 AS seen FROM range(1, 200) t(i)"
    built = World(tmp_path, _toml("source/users.parquet", "seen")).fill(users=users)
    built.attributes()
    assert _used(built) == {"seen"}


def test_a_listed_struct_is_used_as_categories_of_its_text(tmp_path: Path) -> None:
    users = "SELECT i AS user_id, {'a': i % 2} AS shape FROM range(1, 9) t(i)"
    built = World(tmp_path, _toml("source/users.parquet", "shape")).fill(users=users)
    built.attributes()
    assert built.rows(ATTRIBUTES, "kind, used") == [("categorical", True)]


STORED_AS = {
    "VARCHAR": ("'soon'", set()),
    "BOOLEAN": ("true", {"boolean"}),
    "TINYINT": ("3", {"numeric"}),
    "INTEGER": ("3", {"numeric"}),
    "UBIGINT": ("3", {"numeric"}),
    "HUGEINT": ("3", {"numeric"}),
    "FLOAT": ("2.5", {"numeric"}),
    "DOUBLE": ("2.5", {"numeric"}),
    "DECIMAL(6,2)": ("2.5", {"numeric"}),
    "DECIMAL(38,0)": ("3", {"numeric"}),
    "DATE": ("'2026-01-02'", {"timestamp"}),
    "TIMESTAMP": ("'2026-01-02 00:00:00'", {"timestamp"}),
    "TIMESTAMP_S": ("'2026-01-02 00:00:00'", {"timestamp"}),
    "TIMESTAMP_NS": ("'2026-01-02 00:00:00'", {"timestamp"}),
    "TIMESTAMPTZ": ("'2026-01-02 00:00:00Z'", {"timestamp"}),
    "TIME": ("'10:00:00'", set()),
    "TIMETZ": ("'10:00:00+00'", set()),
    "INTERVAL": ("INTERVAL 3 DAY", set()),
    "UUID": ("'d7a84a3a-1292-4385-8acf-ae62b4b0f339'", set()),
    "ENUM('a', 'b')": ("'a'", set()),
    "BLOB": ("'ab'", set()),
    "JSON": ("'{\"a\": 3}'", set()),
    "BIT": ("'101'::BIT", {"numeric"}),  # Parquet has it as text
    "INTEGER[]": ("[1, 2]", set()),
    "DECIMAL(4,1)[]": ("[1, 2]", set()),
    "DATE[]": ("[DATE '2026-01-02', DATE '2026-01-03']", set()),
    "BOOLEAN[]": ("[true, false]", set()),
    "STRUCT(a INTEGER)": ("{'a': 1}", set()),
    "STRUCT(a INTEGER)[]": ("[{'a': 1}]", set()),
    "MAP(VARCHAR, INTEGER)": ("MAP {'a': 1}", set()),
}
"""A value of each type that Parquet can hold, and the kinds that can be read of it, beside text."""
KINDS = {
    "numeric": ("2.5", "DOUBLE", "not_a_number"),
    "boolean": ("true", "BOOLEAN", "not_a_boolean"),
    "timestamp": ("'2026-01-02T00:00:00Z'", "TIMESTAMP WITH TIME ZONE", "not_a_time"),
    "categorical": ("'night'", "VARCHAR", None),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_a_model_knows_stays_whatever_type_a_column_comes_in(
    tmp_path: Path, kind: str
) -> None:
    value, stored, reason = KINDS[kind]
    names = {place: f"c{place:02}" for place in range(len(STORED_AS))}
    before = ", ".join(f"{value} AS {name}" for name in names.values())
    after = ", ".join(
        f"CAST({given} AS {of}) AS {name}"
        for name, (of, (given, _)) in zip(names.values(), STORED_AS.items(), strict=True)
    )
    nothing = ", ".join(f"NULL AS {name}" for name in names.values())
    built = World(tmp_path, _toml("source/users.parquet", *names.values()))
    built.fill(users=f"SELECT 1 AS user_id, {before}").attributes()
    built.fill(users=f"SELECT 1 AS user_id, {after} UNION ALL SELECT 2, {nothing}")
    with built.session() as session:
        loaded = load_users(session, known_kinds(session, "users"))
        infer_attributes(session)
        users = session.lake.select(USERS)
        types = session.con.execute(f"DESCRIBE SELECT COLUMNS('^c[0-9]+$') FROM {users}").fetchall()
    assert {name: of for name, of, *_ in types} == dict.fromkeys(names.values(), stored)
    assert set(built.rows(ATTRIBUTES, "kind")) == {(kind,)}
    unfit = [
        name
        for name, (_, kinds) in zip(names.values(), STORED_AS.values(), strict=True)
        if reason and kind not in kinds
    ]
    row, empty = built.rows(USERS, ", ".join(names.values()), "user_id")
    assert [name for name, one in zip(names.values(), row, strict=True) if one is None] == unfit
    assert set(empty) == {None}
    assert [(one.column, one.reason, one.rows) for one in loaded.unread] == [
        (name, reason, 1) for name in unfit
    ]


def test_a_missing_number_of_a_typed_column_is_no_cell_that_does_not_fit(tmp_path: Path) -> None:
    built = World(tmp_path, _toml("source/users.parquet", "paid"))
    built.fill(users="SELECT 1 AS user_id, 2.5::DOUBLE AS paid").attributes()
    built.fill(users="SELECT unnest([1, 2]) AS user_id, unnest([7, 'NaN'::DOUBLE]) AS paid")
    with built.session() as session:
        assert load_users(session, known_kinds(session, "users")).unread == ()
    assert built.rows(USERS, "paid", "user_id") == [(7.0,), (None,)]
