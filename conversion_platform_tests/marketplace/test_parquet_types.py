"""Columns of every Parquet type become the value that they mean, file by file."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conversion_platform.marketplace import ATTRIBUTES, EVENTS, JOBS, USERS
from conversion_platform_tests.marketplace.world import World

TEN = datetime(2026, 1, 3, 10, tzinfo=UTC)
NAIVE = datetime(2026, 1, 3, 10)  # noqa: DTZ001
TEXTS = {"plain": pa.string(), "large": pa.large_string(), "binary": pa.binary()}
ZONED = pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])


def _write(file: Path, **columns: tuple[pa.DataType, list[Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: pa.array(items, kind) for name, (kind, items) in columns.items()}
    pq.write_table(pa.table(arrays), file)


def _users(folder: Path, toml: str = "", **columns: tuple[pa.DataType, list[Any]]) -> World:
    built = World(folder, f'[sources.users]\npath = "source/users.parquet"\n{toml}\n').fill()
    count = len(next(iter(columns.values()))[1])
    ids = (pa.string(), [str(place) for place in range(count)])
    _write(folder / "source/users.parquet", **{"user_id": ids, **columns})
    return built


@ZONED
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "+05:30"])
@pytest.mark.parametrize("toml", ["", 'time_zone = "Asia/Tokyo"'])
def test_a_timestamp_with_a_zone_is_the_instant_it_is(
    tmp_path: Path, unit: str, zone: str, toml: str
) -> None:
    moments = (pa.timestamp(unit, zone), [TEN, None])
    built = _users(tmp_path, toml, created_at=moments, consent_at=moments)
    loaded = built.load_users()
    assert (loaded.rejects, loaded.unread) == ({}, ())
    assert built.rows(USERS, "created_at, consent_at", "user_id")[0] == (TEN, TEN)


@ZONED
def test_events_of_pandas_are_read(tmp_path: Path, unit: str) -> None:
    built = World(tmp_path).fill()
    _write(
        tmp_path / "source/events/all.parquet",
        user_id=(pa.int64(), [1, 2]),
        job_id=(pa.int64(), [10, 20]),
        event_type=(pa.dictionary(pa.int32(), pa.string()), ["click", "click"]),
        occurred_at=(pa.timestamp(unit, "UTC"), [TEN, TEN + timedelta(days=1)]),
        recorded_at=(pa.timestamp(unit, "UTC"), [TEN + timedelta(hours=1), None]),
    )
    _, _, loaded = built.load()
    assert (loaded.rejects, loaded.unread) == ({}, ())
    assert built.rows(EVENTS, "user_id, occurred_at", "user_id") == [
        ("1", TEN),
        ("2", TEN + timedelta(days=1)),
    ]


@ZONED
@pytest.mark.parametrize("zone", ["UTC", None])
def test_a_further_column_of_timestamps_is_one(tmp_path: Path, unit: str, zone: str | None) -> None:
    given = TEN if zone else NAIVE
    built = _users(
        tmp_path,
        'attributes = ["last_login"]',
        last_login=(pa.timestamp(unit, zone), [given, None, given]),
    )
    built.attributes()
    assert built.rows(ATTRIBUTES, "column_name, kind, used") == [("last_login", "timestamp", True)]
    hours = 0 if zone else 5  # without a zone, that of the platform
    assert built.rows(USERS, "last_login", "user_id")[0] == (TEN + timedelta(hours=hours),)


@ZONED
def test_a_timestamp_without_a_zone_has_that_of_the_settings(tmp_path: Path, unit: str) -> None:
    moments = (pa.timestamp(unit), [NAIVE, None])
    loaded = _users(tmp_path, consent_at=moments).load_users()
    assert [(one.column, one.reason) for one in loaded.unread] == [
        ("consent_at", "time_without_zone")
    ]
    built = _users(tmp_path, 'time_zone = "America/New_York"', consent_at=moments)
    assert built.load_users().unread == ()
    assert built.rows(USERS, "consent_at", "user_id")[0] == (TEN + timedelta(hours=5),)


@pytest.mark.parametrize("kind", TEXTS)
def test_bytes_that_are_text_are_read_as_text(tmp_path: Path, kind: str) -> None:
    text = TEXTS[kind]
    built = World(tmp_path).fill()
    titles = ["Café barista", 'Cook\'s "helper"', " Line cook\u00a0", "NA", None]
    _write(
        tmp_path / "source/jobs.parquet",
        job_id=(text, [" 1", "2.0", "3", "4", "5"]),
        title=(text, titles),
        opened_at=(text, ["2026-01-03T10:00:00Z"] * 5),
        pay=(text, ["$16/hr", "17", "1,200", "NA", None]),
        team=(text, ["Köche", "it's", " x ", "NULL", None]),
        size=(text, ["1", "2", "3", "4", "NA"]),
    )
    loaded = built.load_jobs()
    assert (loaded.rejects, loaded.unread) == ({}, ())
    assert built.rows(JOBS, "job_id, title, opened_at, pay, team, size") == [
        ("1", "Café barista", TEN, 16.0, "Köche", 1.0),
        ("2", 'Cook\'s "helper"', TEN, 17.0, "it's", 2.0),
        ("3", "Line cook", TEN, 1200.0, "x", 3.0),
        ("4", None, TEN, None, None, 4.0),
        ("5", None, TEN, None, None, None),
    ]


def test_bytes_of_events_are_read_as_text(tmp_path: Path) -> None:
    built = World(tmp_path).fill()
    _write(
        tmp_path / "source/events/all.parquet",
        user_id=(pa.binary(), ["1", "2"]),
        job_id=(pa.binary(), ["10", "20"]),
        event_type=(pa.binary(), ["click", "click"]),
        occurred_at=(pa.binary(), ["2026-01-03T10:00:00Z", "2026-01-03T11:00:00Z"]),
    )
    _, _, loaded = built.load()
    assert (loaded.rejects, loaded.accepted_rows) == ({}, 2)
    assert built.rows(EVENTS, "user_id, job_id, event_type") == [
        ("1", "10", "click"),
        ("2", "20", "click"),
    ]


def test_a_list_is_joined_by_bars_and_an_empty_one_is_missing(tmp_path: Path) -> None:
    built = _users(
        tmp_path,
        skills=(
            pa.list_(pa.string()),
            [["cook", "fork|lift"], [], None, ["cook", None], [None], ["a", "b"]],
        ),
        levels=(pa.list_(pa.int64()), [[1, 2], [], None, [3], [None], [4]]),
        codes=(pa.large_list(pa.string()), [["x"], [], None, ["y", "z"], [""], ["w"]]),
    )
    loaded = built.load_users()
    assert (loaded.rejects, loaded.unread) == ({}, ())
    assert built.rows(USERS, "skills, levels, codes", "user_id") == [
        ("cook|fork/lift", "1|2", "x"),
        (None, None, None),
        (None, None, None),
        ("cook", "3", "y|z"),
        (None, None, None),
        ("a|b", "4", "w"),
    ]


def test_a_list_of_bytes_is_a_list_of_texts(tmp_path: Path) -> None:
    built = _users(tmp_path, skills=(pa.list_(pa.binary()), [["Café", "Cook's"], []]))
    built.load_users()
    assert built.rows(USERS, "skills", "user_id") == [("Café|Cook's",), (None,)]


@pytest.mark.parametrize(
    ("kind", "items"),
    [
        (pa.struct([("a", pa.int64()), ("b", pa.string())]), [{"a": 1, "b": "x"}, None]),
        (pa.map_(pa.string(), pa.int64()), [[("a", 1)], None]),
        (pa.list_(pa.list_(pa.string())), [[["a"], ["b"]], []]),
        (pa.list_(pa.struct([("a", pa.int64())])), [[{"a": 1}], []]),
        (pa.decimal128(38, 2), [Decimal("1.50"), None]),
        (pa.bool_(), [True, None]),
        (pa.date32(), [date(2026, 1, 3), None]),
        (pa.time64("us"), [timedelta(hours=1) // timedelta(microseconds=1), None]),
        (pa.float16(), [None, None]),
        (pa.uint64(), [2**64 - 1, None]),
        (pa.null(), [None, None]),
        (pa.binary(), [b"\xff\xfe\x00", None]),
        (pa.binary(4), [b"\xff\x00\x01\x02", None]),
        (pa.timestamp("ns", "UTC"), [TEN, None]),
    ],
)
def test_a_further_column_of_any_type_stops_nothing(
    tmp_path: Path, kind: pa.DataType, items: list[Any]
) -> None:
    built = _users(tmp_path, further=(kind, items))
    built.attributes()
    assert len(built.rows(USERS, "further")) == 2
    assert [name for (name,) in built.rows(ATTRIBUTES, "column_name")] == ["further"]


@pytest.mark.parametrize(
    ("kind", "items"),
    [
        (pa.date32(), [date(2026, 1, 3), None]),
        (pa.date64(), [date(2026, 1, 3), None]),
    ],
)
def test_a_day_begins_where_the_source_is(
    tmp_path: Path, kind: pa.DataType, items: list[Any]
) -> None:
    built = _users(tmp_path, 'time_zone = "America/New_York"', consent_at=(kind, items))
    assert built.load_users().unread == ()
    assert built.rows(USERS, "consent_at", "user_id")[0] == (datetime(2026, 1, 3, 5, tzinfo=UTC),)


MIXED: list[tuple[str, str, tuple[pa.DataType, Any], tuple[pa.DataType, Any], Any]] = [
    ("created_at", "", (pa.timestamp("ns", "UTC"), TEN), (pa.string(), "2026-01-03T10:00Z"), TEN),
    ("created_at", "", (pa.timestamp("us", "UTC"), TEN), (pa.timestamp("ns", "UTC"), TEN), TEN),
    (
        "created_at",
        'time_zone = "UTC"',
        (pa.timestamp("us"), NAIVE),
        (pa.timestamp("ns", "UTC"), TEN),
        TEN,
    ),
    ("desired_pay", "", (pa.float64(), 1234567.5), (pa.string(), "$1,234,567.50"), 1234567.5),
    ("desired_pay", "", (pa.float64(), 1e22), (pa.int64(), 5), None),
    ("desired_pay", 'decimal = ","', (pa.float64(), 1.125), (pa.string(), "1,125"), 1.125),
    ("desired_pay", "", (pa.decimal128(10, 2), Decimal("1.50")), (pa.string(), "1.5"), 1.5),
    ("region", "", (pa.string(), "Café"), (pa.binary(), "Café".encode()), "Café"),
    ("skills", "", (pa.list_(pa.string()), ["a", "b"]), (pa.string(), "a|b"), "a|b"),
    ("skills", "", (pa.list_(pa.string()), ["1", "2"]), (pa.list_(pa.int64()), [1, 2]), "1|2"),
    ("postal_code", "", (pa.int64(), 12345), (pa.string(), "12345"), "12345"),
    ("postal_code", "", (pa.float64(), 12345.0), (pa.int64(), 12345), "12345"),
    ("further", "", (pa.timestamp("ns", "UTC"), TEN), (pa.string(), "2026-01-03T10:00Z"), TEN),
]


@pytest.mark.parametrize(("column", "toml", "first", "second", "expected"), MIXED)
def test_a_column_whose_type_differs_between_files_means_the_same_in_each(
    tmp_path: Path,
    column: str,
    toml: str,
    first: tuple[pa.DataType, Any],
    second: tuple[pa.DataType, Any],
    expected: Any,
) -> None:
    built = World(tmp_path, f'[sources.users]\npath = "users"\n{toml}\n').fill()
    for number, (kind, item) in enumerate((first, second)):
        target = tmp_path / f"users/{number}.parquet"
        _write(target, **{"user_id": (pa.int64(), [number]), column: (kind, [item])})
    loaded = built.load_users()
    assert (loaded.rejects, loaded.unread) == ({}, ())
    found = [value for (value,) in built.rows(USERS, column, "user_id")]
    assert found == ([expected, expected] if expected is not None else [first[1], second[1]])


def test_a_boolean_is_no_number(tmp_path: Path) -> None:
    built = World(tmp_path).fill(jobs="SELECT '1' AS job_id, true AS pay, true AS openings")
    loaded = built.load_jobs()
    assert built.rows(JOBS, "pay, openings") == [(None, None)]
    assert {(one.column, one.reason) for one in loaded.unread} == {
        ("pay", "not_a_number"),
        ("openings", "not_a_number"),
    }


def test_an_id_that_lost_digits_is_rejected_whatever_type_other_files_have(tmp_path: Path) -> None:
    users = World(tmp_path, '[sources.users]\npath = "users"\n').fill()
    _write(tmp_path / "users/a.parquet", user_id=(pa.string(), ["u1"]))
    _write(tmp_path / "users/b.parquet", user_id=(pa.float64(), [7.0, 2.0**53 + 2, 1e20]))
    assert users.load_users().rejects == {"inexact_id": 2}
    assert users.rows(USERS, "user_id") == [("7",), ("u1",)]
