"""A `dt=` folder of users or jobs is a whole export: what the newest one lacks does not count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from conversion_platform.marketplace import USERS, load_users
from conversion_platform.marketplace.history import USERS_VERSIONS
from conversion_platform_tests.marketplace.world import World

BY_PATH = '[sources.users]\npath = "users"\n'
BY_SQL = '[inputs.people]\npath = "users"\n[sources.users]\nsql = "SELECT * FROM people"\n'
CONSENT = "2026-02-20T00:00:00Z"
TODAY = date(2026, 3, 6)


def _exports(folder: Path, head: str, days: Mapping[str, Sequence[str]], toml: str) -> World:
    """A world whose users are the rows of each export."""
    for day, rows in days.items():
        place = folder / f"users/dt={day}"
        place.mkdir(parents=True)
        (place / "all.csv").write_text("\n".join([head, *rows, ""]))
    return World(folder, toml).fill()


def _load(built: World, columns: str) -> list[tuple[object, ...]]:
    with built.session() as session:
        load_users(session, today=TODAY)
    return built.rows(USERS, columns)


@pytest.mark.parametrize("toml", [BY_PATH, BY_SQL])
@pytest.mark.parametrize(
    ("head", "older", "newer"),
    [
        # The row that holds from the fifth on was taken back by the second export.
        ("user_id,consent_at,valid_from", f"1,{CONSENT},2026-03-05T00:00:00Z", "1,,"),
        (
            "user_id,consent_at,valid_from",
            f"1,{CONSENT},2026-03-05T00:00:00Z",
            "1,,2026-03-01T00:00:00Z",
        ),
        (
            "user_id,consent_at,updated_at",
            f"1,{CONSENT},2026-02-21T00:00:00Z",
            "1,,2026-02-01T00:00:00Z",
        ),
        ("user_id,consent_at,updated_at", f"1,{CONSENT},2026-02-21T00:00:00Z", "1,,"),
        ("user_id,consent_at", f"1,{CONSENT}", "1,"),
    ],
)
def test_no_row_of_an_older_export_wins(
    tmp_path: Path, head: str, older: str, newer: str, toml: str
) -> None:
    built = _exports(tmp_path, head, {"2026-03-01": [older], "2026-03-02": [newer]}, toml)
    assert _load(built, "user_id, consent_at") == [("1", None)]


@pytest.mark.parametrize("duplicates", ["first", "refuse"])
def test_rows_of_older_exports_are_versions_whatever_is_said_of_duplicates(
    tmp_path: Path, duplicates: str
) -> None:
    days = {"2026-03-01": [f"1,{CONSENT}"], "2026-03-02": ["1,"], "2026-03-03": ["1,", "1,"]}
    toml = f'{BY_PATH}duplicates = "{duplicates}"\n'
    built = _exports(tmp_path, "user_id,consent_at", days, toml)
    with built.session() as session:
        loaded = load_users(session, today=TODAY)
    assert (loaded.rejects, loaded.past_rows) == ({"duplicate_id": 1}, 2)
    assert built.rows(USERS, "consent_at") == [(None,)]


@pytest.mark.parametrize("toml", [BY_PATH, BY_SQL])
@pytest.mark.parametrize("time", ["valid_from", "updated_at"])
def test_a_row_that_each_export_says_again_is_no_copy(tmp_path: Path, time: str, toml: str) -> None:
    head, same = f"user_id,state,{time}", "1,NY,2026-02-01T00:00:00Z"
    days = {"2026-03-01": [same, "2,TX,"], "2026-03-02": [same, "2,TX,"], "2026-03-03": [same]}
    built = _exports(tmp_path, head, days, toml)
    with built.session() as session:
        loaded = load_users(session, today=TODAY)
    assert (loaded.rejects, loaded.accepted_rows) == ({}, 1)
    assert loaded.read_rows == 5


def test_of_what_exports_say_of_one_time_the_later_counts_in_the_past(tmp_path: Path) -> None:
    days = {
        "2026-03-01": ["1,NY,2026-02-01T00:00:00Z"],
        "2026-03-02": ["1,TX,2026-02-01T00:00:00Z"],
        "2026-03-03": ["1,CA,2026-03-02T12:00:00Z"],
    }
    built = _exports(tmp_path, "user_id,state,valid_from", days, BY_PATH)
    assert _load(built, "state") == [("CA",)]
    assert built.rows(USERS_VERSIONS, "state", "told_at") == [("TX",), ("CA",)]


def test_rows_of_one_id_in_folders_of_changes_are_told_apart_by_time(tmp_path: Path) -> None:
    days = {
        "2026-03-01": [f"1,{CONSENT},2026-02-21T00:00:00Z"],
        "2026-03-02": ["1,,2026-02-01T00:00:00Z"],
    }
    toml = f'{BY_PATH}folders = "changes"\n'
    built = _exports(tmp_path, "user_id,consent_at,updated_at", days, toml)
    assert _load(built, "consent_at") == [(datetime(2026, 2, 20, tzinfo=UTC),)]


@pytest.mark.parametrize("toml", [BY_PATH, BY_SQL])
@pytest.mark.parametrize("form", ["2026-03-0{}", "2026030{}"])
def test_who_is_not_in_the_newest_export_is_gone(tmp_path: Path, toml: str, form: str) -> None:
    days = {form.format(1): ["1", "2"], form.format(2): ["1"]}
    assert _load(_exports(tmp_path, "user_id", days, toml), "user_id") == [("1",)]


@pytest.mark.parametrize(
    ("head", "moment"),
    [("updated_at", "2026-03-03T07:30:00Z"), ("valid_from", "2026-03-10T00:00:00Z")],
)
def test_who_is_gone_does_not_come_back_with_a_later_time(
    tmp_path: Path, head: str, moment: str
) -> None:
    """A nightly export is written in the morning of the next day."""
    days = {
        "2026-03-02": [f"1,a,{moment}", "2,a,2026-03-01T00:00:00Z"],
        "2026-03-03": ["2,a,2026-03-01T00:00:00Z"],
    }
    built = _exports(tmp_path, f"user_id,region,{head}", days, BY_PATH)
    assert _load(built, "user_id") == [("2",)]
    told = "user_id, arg_max(present, told_at) OVER (PARTITION BY user_id)"
    assert dict(built.rows(USERS_VERSIONS, told))["1"] is False
