"""The same tables come in from any place the settings can name."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conversion_platform.days import DayRange
from conversion_platform.errors import SourceError
from conversion_platform.marketplace import (
    ATTRIBUTES,
    EVENTS,
    JOBS,
    REJECTED_EVENTS,
    REJECTED_USERS,
    USERS,
    loading,
)
from conversion_platform.marketplace.checking import summary
from conversion_platform_tests.marketplace import world
from conversion_platform_tests.marketplace.world import World, write_csv, write_parquet
from conversion_platform_tests.servers import PostgresServer, S3Server

EXPECTED = [("a", "1", "10"), ("b", "1", "10"), ("c", "2", "20")]


def _by_day(target: Path, extension: str) -> None:
    for day in ("2026-01-02", "2026-01-03"):
        query = f"SELECT * FROM ({world.EVENTS}) WHERE occurred_at LIKE '{day}%'"
        world.write(query, target / f"dt={day}" / f"part.{extension}")


@pytest.mark.parametrize("extension", ["parquet", "csv", "csv.gz"])
@pytest.mark.parametrize("path", ["in", "in/*/*", "in/**/part.*"])
def test_events_come_from_hive_folders_and_globs_of_every_format(
    tmp_path: Path, extension: str, path: str
) -> None:
    built = World(tmp_path, f'[sources.events]\npath = "{path}"\n').fill()
    _by_day(tmp_path / "in", extension)
    _, _, loaded = built.load()
    assert built.rows(EVENTS, "event_id, user_id, job_id") == EXPECTED
    assert loaded.read_rows == 3


def test_only_the_folders_that_a_range_needs_are_read(tmp_path: Path) -> None:
    built = World(tmp_path, "[events]\nlate_days = 0\n").fill()
    (tmp_path / "source/events/all.parquet").unlink()
    _by_day(tmp_path / "source/events", "parquet")
    unread = tmp_path / "source/events/dt=2026-02-01/part.parquet"
    unread.parent.mkdir()
    unread.write_bytes(b"not a Parquet file at all")
    built.load(DayRange.of(date(2026, 1, 2)))
    assert built.rows(EVENTS, "event_id") == [("a",), ("b",)]


def test_a_semicolon_file_is_read_without_being_told_and_a_comma_in_quotes_is_text(
    tmp_path: Path,
) -> None:
    built = World(tmp_path, '[sources.users]\npath = "users.csv"\n').fill()
    (tmp_path / "users.csv").write_text(
        'user_id;region\r\n1;"Austin; TX"\r\n2;"He said ""no"""\r\n'
    )
    built.load_users()
    assert built.rows(USERS, "user_id, region") == [("1", "Austin; TX"), ("2", 'He said "no"')]


def test_texts_that_mean_missing_are_settings(tmp_path: Path) -> None:
    toml = '[sources.users]\npath = "users.csv"\nnull_values = ["-"]\n'
    built = World(tmp_path, toml).fill()
    (tmp_path / "users.csv").write_text("user_id,region,shift\n1,-,NA\n")
    built.load_users()
    assert built.rows(USERS, "region, shift") == [(None, "NA")]


def test_a_line_that_is_not_a_row_is_rejected_with_its_text(tmp_path: Path) -> None:
    built = World(tmp_path, '[sources.users]\npath = "users.csv"\n').fill()
    (tmp_path / "users.csv").write_bytes(b"user_id,region\n1,a\n2\n3,b,c\n4,caf" + b"\xe9\n5,d\n")
    loaded = built.load_users()
    assert built.rows(USERS, "user_id") == [("1",), ("5",)]
    assert loaded.read_rows == 5
    assert loaded.rejects == {"broken_line": 3}
    rejected = built.rows(REJECTED_USERS, "row_number, row_json", "row_number")
    assert [row for row, _ in rejected] == [2, 3, 4]
    assert json.loads(rejected[0][1]) == {"line": "2"}


def test_a_csv_that_repeats_its_folder_as_a_column_is_read(tmp_path: Path) -> None:
    built = World(tmp_path).fill()
    (tmp_path / "source/events/all.parquet").unlink()
    day = tmp_path / "source/events/dt=2026-01-02"
    day.mkdir()
    (day / "part.csv").write_text(
        "user_id,job_id,event_type,occurred_at,dt\n1,10,click,2026-01-02T15:00:00Z,2026-01-02\n"
    )
    _, _, loaded = built.load()
    assert (loaded.accepted_rows, loaded.rejects) == (1, {})


def test_a_broken_line_of_events_goes_to_the_day_of_its_folder(tmp_path: Path) -> None:
    built = World(tmp_path).fill()
    (tmp_path / "source/events/all.parquet").unlink()
    _by_day(tmp_path / "source/events", "csv")
    file = tmp_path / "source/events/dt=2026-01-03/part.csv"
    file.write_text(file.read_text() + "only-one-field\n")
    _, _, loaded = built.load(DayRange(date(2026, 1, 2), date(2026, 1, 4)))
    assert built.rows(REJECTED_EVENTS, "dt, reason") == [(date(2026, 1, 3), "broken_line")]
    assert loaded.read_rows == 4
    _, _, other = built.load(DayRange.of(date(2026, 1, 7)))
    assert other.rejects == {}


def test_columns_are_mapped_by_the_settings_and_by_equal_names_in_any_case(tmp_path: Path) -> None:
    toml = '[sources.users]\npath = "users.csv"\n[sources.users.columns]\nregion = "Metro Area"\n'
    built = World(tmp_path, toml).fill()
    (tmp_path / "users.csv").write_text(
        "User.ID,Metro Area,CreatedAt\n1,Austin,2026-01-05T00:00Z\n"
    )
    built.load_users()
    assert built.rows(USERS, "user_id, region, created_at::DATE") == [
        ("1", "Austin", date(2026, 1, 5))
    ]


@pytest.mark.parametrize("header", ["User ID,user_id", "user_id,User ID"])
def test_a_column_named_as_the_contract_wins_over_one_that_only_looks_like_it(
    tmp_path: Path, header: str
) -> None:
    built = World(tmp_path, '[sources.users]\npath = "users.csv"\n').fill()
    ours, other = ("2", "1") if header.endswith("user_id") else ("1", "2")
    (tmp_path / "users.csv").write_text(f"{header}\n1,2\n")
    built.attributes()
    assert built.rows(USERS, "user_id, user_id_2") == [(ours, other)]
    used = built.rows(ATTRIBUTES, "column_name, kind", "column_name")
    assert ("user_id_2", "categorical") in used


def test_one_wide_table_of_clicks_feeds_all_three_sources(tmp_path: Path) -> None:
    clicks = """
    SELECT * FROM (VALUES
        (7, 70, '2026-01-02T15:00:00Z', 'Cook'),
        (8, 70, '2026-01-03T15:00:00Z', 'Cook'),
        (7, NULL, '2026-01-03T16:00:00Z', 'Cook')
    ) c(who, what, seen, title)
    """
    write_csv(clicks, tmp_path / "clicks.csv.gz")
    toml = '''
    [inputs.clicks]
    path = "clicks.csv.gz"
    [sources.users]
    sql = "SELECT who AS user_id, min(seen) AS created_at FROM clicks GROUP BY who;"
    [sources.jobs]
    sql = """
    SELECT what AS job_id, min(seen) AS opened_at, min(title) AS title
    FROM clicks WHERE what IS NOT NULL GROUP BY what"""
    [sources.events]
    sql = """
    SELECT who AS user_id, what AS job_id, 'click' AS event_type, seen AS occurred_at,
           source_file, source_row
    FROM clicks"""
    '''
    built = World(tmp_path, toml)
    _, _, events = built.load()
    assert built.rows(USERS, "user_id") == [("7",), ("8",)]
    assert built.rows(JOBS, "job_id, title") == [("70", "Cook")]
    assert built.rows(EVENTS, "user_id, job_id") == [("7", "70"), ("8", "70")]
    assert built.rows(REJECTED_EVENTS, "reason, source, row_number") == [
        ("missing_id", "clicks.csv.gz", 3)
    ]
    assert events.read_rows == 3


def test_a_file_that_changes_while_it_is_read_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = World(tmp_path).fill()
    built.load_users()
    before = built.rows(USERS)

    def summary_of_what_was_there(*read: Any) -> Any:
        more = world.USERS.replace("[1, 2]", "[1, 2, 3]")
        write_parquet(more, tmp_path / "source/users.parquet")
        return summary(*read)

    monkeypatch.setattr(loading, "summary", summary_of_what_was_there)
    with pytest.raises(SourceError, match="has 3 rows, but 2 were accepted or rejected"):
        built.load_users()
    assert built.rows(USERS) == before


def test_a_64_bit_id_survives_files_that_disagree_on_its_type(tmp_path: Path) -> None:
    built = World(tmp_path, '[sources.users]\npath = "users"\n').fill()
    write_parquet("SELECT 9007199254740993 AS user_id", tmp_path / "users/1.parquet")
    write_parquet("SELECT unnest([5::DOUBLE, NULL]) AS user_id", tmp_path / "users/2.parquet")
    loaded = built.load_users()
    assert built.rows(USERS, "user_id") == [("5",), ("9007199254740993",)]
    assert loaded.rejects == {"missing_id": 1}
    write_parquet("SELECT 'x-1' AS user_id, 'many' AS n", tmp_path / "users/3.parquet")
    built.load_users()
    assert built.rows(USERS, "user_id, n")[1:] == [("9007199254740993", None), ("x-1", "many")]


def _postgres_toml(query: str) -> str:
    return (
        '[sources.users]\nformat = "postgres"\ntable = "board.people"\n'
        f'[sources.jobs]\nformat = "postgres"\nquery = "SELECT * FROM board.jobs"\n'
        '[inputs.looks]\nformat = "postgres"\ntable = "board.looks"\n'
        f'[sources.events]\nsql = "{query}"\n'
    )


def test_all_three_sources_come_from_a_real_postgres(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = postgres.new_database()
    monkeypatch.setenv("CONVERSION_PLATFORM_POSTGRES_DSN", dsn)
    with psycopg.connect(dsn) as con:
        con.execute("CREATE SCHEMA board")
        con.execute(
            "CREATE TABLE board.people (user_id bigint, created_at timestamptz, "
            "left_at timestamptz, pay numeric(9,2), tags jsonb, vip boolean, latitude real)"
        )
        con.execute(
            "INSERT INTO board.people VALUES "
            "(9007199254740993, '2026-01-01 00:00-05', 'infinity', 12.50, '[1]', true, 40.5), "
            "(2, '2026-01-01 00:00-05', NULL, NULL, NULL, false, NULL), "
            "(NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
        )
        con.execute(
            "CREATE TABLE board.jobs AS SELECT 10 AS job_id, now() - interval '999 d' AS opened_at"
        )
        con.execute(
            "CREATE TABLE board.looks AS SELECT 2 AS who, timestamp '2026-01-02 09:00' AS seen "
            "FROM generate_series(1, 120000)"
        )
    built = World(
        tmp_path,
        _postgres_toml(
            "SELECT who AS user_id, 10 AS job_id, 'click' AS event_type, "
            "timezone('UTC', seen) AS occurred_at FROM looks"
        ),
    )
    users, _, events = built.load()
    assert built.rows(USERS, "user_id, left_at, vip, latitude") == [
        ("2", None, False, None),
        ("9007199254740993", None, True, 40.5),
    ]
    assert users.rejects == {"missing_id": 1}
    assert (events.read_rows, events.accepted_rows) == (120_000, 1)  # all rows are one event
    assert events.rejects == {"duplicate_id": 119_999}


def test_sources_on_s3_are_read_in_place(tmp_path: Path, s3_environment: S3Server) -> None:
    bucket = s3_environment.new_bucket()
    client = s3_environment.client()
    _by_day(tmp_path / "up/events", "parquet")
    write_csv(world.USERS, tmp_path / "up/users.csv.gz")
    write_parquet(world.JOBS, tmp_path / "up/jobs/a.parquet")
    for file in (tmp_path / "up").rglob("*.*"):
        client.upload_file(str(file), bucket, f"raw/{file.relative_to(tmp_path / 'up')}")
    client.put_object(Bucket=bucket, Key="raw/jobs/_SUCCESS", Body=b"")
    built = World(
        tmp_path,
        f'[sources.users]\npath = "s3://{bucket}/raw/users.csv.gz"\n'
        f'[sources.jobs]\npath = "s3://{bucket}/raw/jobs/"\n'
        f'[sources.events]\npath = "s3://{bucket}/raw/events/*/*.parquet"\n',
    )
    built.load()
    assert built.rows(EVENTS, "event_id, user_id, job_id") == EXPECTED
    assert built.rows(USERS, "user_id") == [("1",), ("2",)]
