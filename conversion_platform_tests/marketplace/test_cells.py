"""Cells become contract values, or a reason; whatever type the source gave them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversion_platform.marketplace import (
    JOBS,
    REJECTED_USERS,
    USERS,
    Loaded,
)
from conversion_platform_tests.marketplace import world
from conversion_platform_tests.marketplace.world import World, write_csv

T1 = "'2026-01-01T05:00:00Z'"


def _unread(loaded: Loaded) -> list[tuple[str, str, int]]:
    return [(one.column, one.reason, one.rows) for one in loaded.unread]


def _user_ids(tmp_path: Path, literal: str) -> list[str]:
    built = World(tmp_path).fill(users=f"SELECT {literal} AS user_id")
    built.load_users()
    return [row[0] for row in built.rows(USERS, "user_id")]


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ("9007199254740993", "9007199254740993"),
        ("18446744073709551615::UBIGINT", "18446744073709551615"),
        ("10000::DOUBLE", "10000"),
        ("10000::DECIMAL(12, 2)", "10000"),
        ("'10000.0'", "10000"),
        ("'  abc-1 '", "abc-1"),
        ("'0042'", "0042"),
        ("'v1.0'", "v1.0"),
        ("'2f1c0a9e-6f6e-4a57-9ad3-0f1c2d3e4f50'::UUID", "2f1c0a9e-6f6e-4a57-9ad3-0f1c2d3e4f50"),
    ],
)
def test_ids_of_any_type_become_the_text_a_person_would_write(
    tmp_path: Path, literal: str, text: str
) -> None:
    assert _user_ids(tmp_path, literal) == [text]


def test_an_id_that_lost_digits_as_a_double_is_rejected_not_rounded(tmp_path: Path) -> None:
    users = "SELECT * FROM (VALUES (1::DOUBLE), (9007199254740994::DOUBLE)) u(user_id)"
    built = World(tmp_path).fill(users=users)
    built.load_users()
    assert built.rows(USERS, "user_id") == [("1",)]
    assert built.rows(REJECTED_USERS, "reason") == [("inexact_id",)]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05 10:00:00 UTC",
        "2026-01-05T10:00:00Z",
        "2026-01-05t10:00:00z".replace("t", "T"),
        "2026-01-05 10:00:00+00:00",
        "2026-01-05 10:00:00.000+00",
        "2026-01-05 05:00:00-0500",
        "2026-01-05 05:00:00 America/New_York",
    ],
)
def test_a_time_with_any_usual_zone_is_read(tmp_path: Path, text: str) -> None:
    built = World(tmp_path).fill(users=f"SELECT 1 AS user_id, '{text}' AS created_at")
    built.load_users()
    assert built.rows(USERS, "created_at") == [(datetime(2026, 1, 5, 10, tzinfo=UTC),)]


@pytest.mark.parametrize(
    "literal",
    [
        "'2026-01-05 05:00:00'",
        "TIMESTAMP '2026-01-05 05:00:00'",
        "TIMESTAMP_NS '2026-01-05 05:00:00'",
    ],
)
def test_a_time_without_zone_is_missing_unless_the_source_names_one(
    tmp_path: Path, literal: str
) -> None:
    users = f"SELECT 1 AS user_id, {literal} AS created_at UNION ALL SELECT 2, NULL"
    built = World(tmp_path).fill(users=users)
    assert _unread(built.load_users()) == [("created_at", "time_without_zone", 1)]
    built.toml = '[sources.users]\npath = "source/users.parquet"\ntime_zone = "America/New_York"\n'
    built.load_users()
    assert built.rows(USERS, "user_id, created_at")[0] == (
        "1",
        datetime(2026, 1, 5, 10, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"user_id": "NULL"}, "missing_id"),
        ({"user_id": "'  '"}, "missing_id"),
    ],
)
def test_a_user_without_an_id_is_kept_with_its_reason(
    tmp_path: Path, columns: dict[str, str], reason: str
) -> None:
    bad = {"region": "'there'", **columns}
    built = World(tmp_path).fill(
        users=world.values(["user_id", "region"], [{"user_id": "'good'"}, bad])
    )
    loaded = built.load_users()
    assert loaded.rejects == {reason: 1}
    assert (loaded.read_rows, loaded.accepted_rows, loaded.reject_share) == (2, 1, 0.5)
    source, row, column, text = built.rows(
        REJECTED_USERS, "source, row_number, column_name, row_json"
    )[0]
    assert (source, row, column) == ("source/users.parquet", 2, "user_id")
    assert "there" in text


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"latitude": "'north'"}, "not_a_number"),
        ({"latitude": "'inf'"}, "not_a_number"),
        ({"latitude": "'90.5'"}, "out_of_range"),
        ({"longitude": "'-181'"}, "out_of_range"),
        ({"desired_pay": "'-1'"}, "out_of_range"),
        ({"desired_pay": "'1e39'"}, "out_of_range"),
        ({"created_at": "'yesterday'"}, "not_a_time"),
        ({"created_at": "'2026-02-30T00:00:00Z'"}, "not_a_time"),
        ({"created_at": "'0001-01-01T00:00:00Z'"}, "not_a_time"),
        ({"created_at": "'9999-12-31T00:00:00Z'"}, "not_a_time"),
        ({"created_at": "'1767225600'"}, "not_a_time"),
        ({"created_at": T1, "left_at": "'2025-12-31T00:00:00Z'"}, "end_before_start"),
        ({"time_zone": "'Mars/Olympus'"}, "unknown_time_zone"),
        ({"time_zone": "'-5'"}, "number_where_text_belongs"),
        ({"state": "'36'"}, "number_where_text_belongs"),
    ],
)
def test_an_optional_cell_that_cannot_be_read_is_missing_and_counted(
    tmp_path: Path, columns: dict[str, str], reason: str
) -> None:
    names = [
        "user_id",
        "created_at",
        "left_at",
        "latitude",
        "longitude",
        "desired_pay",
        "time_zone",
        "state",
    ]
    bad = {"user_id": "'bad'", **columns}
    built = World(tmp_path).fill(users=world.values(names, [{"user_id": "'good'"}, bad]))
    loaded = built.load_users()
    assert (loaded.rejects, loaded.accepted_rows) == ({}, 2)
    ((column, found, rows),) = _unread(loaded)
    assert (found, rows) == (reason, 1)
    assert column in columns
    assert (loaded.unread[0].example.source, loaded.unread[0].example.row_number) == (
        "source/users.parquet",
        2,
    )
    assert built.rows(USERS, "user_id, unread_columns") == [("bad", column), ("good", None)]


def test_a_job_that_closed_before_it_opened_stays_closed_and_one_open_for_good_is_open(
    tmp_path: Path,
) -> None:
    jobs = world.values(
        ["job_id", "opened_at", "closed_at", "title"],
        [
            {"job_id": "10", "opened_at": T1, "closed_at": "'9999-12-31T00:00:00Z'"},
            {"job_id": "11", "opened_at": T1, "closed_at": "'2025-01-01T00:00:00Z'"},
            {"job_id": "12", "title": "'4711'"},
        ],
    )
    built = World(tmp_path).fill(jobs=jobs)
    built.load_jobs()
    closed = datetime(2025, 1, 1, tzinfo=UTC)
    assert built.rows(JOBS, "job_id, opened_at, closed_at, unread_columns") == [
        ("10", datetime(2026, 1, 1, 5, tzinfo=UTC), None, None),
        ("11", closed, closed, "opened_at"),
        ("12", datetime(2026, 1, 1, 5, tzinfo=UTC), None, "title"),
    ]


def test_an_end_that_cannot_be_read_takes_no_start_away(tmp_path: Path) -> None:
    jobs = f"SELECT 1 AS job_id, {T1} AS opened_at, '1850-01-01T00:00:00Z' AS closed_at"
    built = World(tmp_path).fill(jobs=jobs)
    assert _unread(built.load_jobs()) == [("closed_at", "not_a_time", 1)]
    assert built.rows(JOBS, "opened_at, closed_at") == [(datetime(2026, 1, 1, 5, tzinfo=UTC), None)]


def test_not_a_number_in_a_double_column_reads_as_missing(tmp_path: Path) -> None:
    users = "SELECT 1 AS user_id, 'nan'::DOUBLE AS latitude, 'NaN' AS longitude"
    built = World(tmp_path).fill(users=users)
    loaded = built.load_users()
    assert loaded.rejects == {}
    assert built.rows(USERS, "latitude, longitude") == [(None, None)]


def test_of_rows_with_one_id_the_first_stays_if_the_settings_say_so(tmp_path: Path) -> None:
    users = "SELECT * FROM (VALUES (7, 'first'), (8, 'x'), (7, 'second')) u(user_id, region)"
    built = World(tmp_path).fill(users=users)
    built.toml = '[sources.users]\npath = "source/users.parquet"\nduplicates = "first"\n'
    built.load_users()
    assert built.rows(USERS, "user_id, region") == [("7", "first"), ("8", "x")]
    assert built.rows(REJECTED_USERS, "reason, row_number, detail") == [("duplicate_id", 3, "7")]


def test_a_start_that_the_source_does_not_give_is_the_first_event(tmp_path: Path) -> None:
    built = World(tmp_path).fill(
        users="SELECT unnest([1, 2, 3]) AS user_id", jobs="SELECT unnest([10, 20]) AS job_id"
    )
    built.load_users()
    built.load_jobs()
    assert built.rows(USERS, "user_id, created_at") == [
        ("1", datetime(2026, 1, 2, 15, tzinfo=UTC)),
        ("2", datetime(2026, 1, 3, 15, tzinfo=UTC)),
        ("3", datetime(2026, 1, 1, 5, tzinfo=UTC)),  # no event: start_date, New York
    ]
    assert built.rows(JOBS, "job_id, opened_at") == [
        ("10", datetime(2026, 1, 2, 15, tzinfo=UTC)),
        ("20", datetime(2026, 1, 3, 15, tzinfo=UTC)),
    ]


def test_a_list_of_skills_is_written_with_bars(tmp_path: Path) -> None:
    built = World(tmp_path).fill(users="SELECT 1 AS user_id, ['cook', 'waiter'] AS skills")
    built.load_users()
    assert built.rows(USERS, "skills") == [("cook|waiter",)]


def test_a_code_keeps_its_leading_zeros(tmp_path: Path) -> None:
    built = World(tmp_path).fill()
    write_csv("SELECT '1' AS user_id, '02134' AS postal_code", tmp_path / "source/users.csv")
    built.toml = '[sources.users]\npath = "source/users.csv"\n'
    built.load_users()
    assert built.rows(USERS, "postal_code") == [("02134",)]


def test_a_cell_that_moved_by_a_column_shows_no_name_and_no_address(tmp_path: Path) -> None:
    text = (
        "user_id,desired_pay,created_at\n1,Maria Lopez,12 Oak Street\n2,12,2026-01-01T00:00:00Z\n"
    )
    (tmp_path / "users.csv").write_text(text)
    built = World(tmp_path, '[sources.users]\npath = "users.csv"\n').fill()
    told = " ".join(cell.told() for cell in built.load_users().unread)
    assert "desired_pay = '(not shown)'" in told
    assert "Maria" not in told and "Oak" not in told
