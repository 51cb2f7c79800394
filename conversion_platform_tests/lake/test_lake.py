"""Whole partitions: the same bytes each time, days pruned, errors that say what to do."""

from __future__ import annotations

import hashlib
import io
import os
import resource
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from conversion_platform.days import DayRange
from conversion_platform.errors import (
    DamagedFileError,
    DiskFullError,
    LakeError,
    MemoryLimitError,
    MissingFileError,
    NotReadyError,
)
from conversion_platform.lake import Column, Lake, LocalStorage, Part, Table, open_storage
from conversion_platform_tests.killing import finish, kill_at_work, start
from conversion_platform_tests.servers import S3Server

ID = Column("id", "VARCHAR", "Key.")
CLICKS = Table("clicks", "Clicks.", (ID, Column("n", "BIGINT", "A number.")), ("id",))
PEOPLE = Table("people", "People.", (ID,), ("id",), daily=False)
ROWS = (
    "SELECT 'u' || (i * 7919 % 1000003) AS id, i AS n, i * 0.37 AS d, "
    "CASE WHEN i % 7 > 0 THEN 'k' || (i % 13) END AS k FROM range(300000) r(i)"
)
DAY = date(2026, 1, 1)


@pytest.fixture(params=["local", "s3"])
def any_lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    if request.param == "local":
        return Lake(open_storage(str(tmp_path / "lake")))
    server: S3Server = request.getfixturevalue("s3")
    return Lake(open_storage(f"s3://{server.new_bucket()}/lake", server.files()))


def fill(lake: Lake, days: DayRange) -> None:
    with lake.connect() as con:
        lake.write_days(
            con,
            CLICKS,
            "SELECT 'c' || i AS id, i AS n, dt::DATE AS dt FROM range(5) r(i), "
            f"range(DATE '{days.first}', DATE '{days.last}' + 1, INTERVAL 1 DAY) d(dt)",
            days,
        )


def counts(lake: Lake, days: DayRange | None = None) -> list[tuple[date, int]]:
    with lake.connect() as con:
        lake.view(con, CLICKS, days)
        return con.sql("SELECT dt, count(n) FROM clicks GROUP BY dt ORDER BY dt").fetchall()


def test_a_range_is_written_day_by_day_and_read_back(any_lake: Lake) -> None:
    days = DayRange(date(2026, 1, 30), date(2026, 2, 2))
    fill(any_lake, days)
    assert any_lake.days(CLICKS) == list(days)
    assert counts(any_lake) == [(day, 5) for day in days]


def test_only_the_days_asked_for_are_read(any_lake: Lake) -> None:
    fill(any_lake, DayRange(date(2026, 1, 1), date(2026, 1, 9)))
    some = DayRange(date(2026, 1, 3), date(2026, 1, 4))
    assert counts(any_lake, some) == [(day, 5) for day in some]
    assert len(any_lake.files(CLICKS, some)) == 2


def test_a_partition_is_replaced_whole(any_lake: Lake) -> None:
    fill(any_lake, DayRange.of(DAY))
    with any_lake.connect() as con:
        written = any_lake.write(con, CLICKS, "SELECT 'only' AS id, 1::BIGINT AS n", DAY)
    assert (written.rows, written.day, written.table) == (1, DAY, "clicks")
    assert written.bytes == any_lake.storage.size(any_lake.key(CLICKS, DAY))
    assert counts(any_lake) == [(DAY, 1)]


def test_a_day_without_rows_gets_an_empty_partition(any_lake: Lake) -> None:
    with any_lake.connect() as con:
        query = "SELECT 'x' AS id, 1::BIGINT AS n, DATE '2030-01-01' AS dt"
        any_lake.write_days(con, CLICKS, query, DayRange.of(DAY))
    assert any_lake.exists(CLICKS, DAY)
    assert counts(any_lake) == []


def test_a_table_that_is_not_daily_has_one_file(any_lake: Lake) -> None:
    with any_lake.connect() as con:
        assert not any_lake.exists(PEOPLE)
        any_lake.write(con, PEOPLE, "SELECT 'p' AS id")
        any_lake.view(con, PEOPLE, name="everybody")
        assert con.sql("SELECT * FROM everybody").fetchall() == [("p",)]
    assert any_lake.exists(PEOPLE)


def test_a_table_without_files_has_its_columns_and_no_row(lake: Lake) -> None:
    with lake.connect() as con:
        lake.view(con, CLICKS)
        result = con.sql("SELECT * FROM clicks")
        assert list(zip(result.columns, map(str, result.types), strict=True)) == [
            ("id", "VARCHAR"),
            ("n", "BIGINT"),
            ("dt", "DATE"),
        ]
        assert result.fetchall() == []


def test_a_column_that_older_files_lack_is_null_there(lake: Lake) -> None:
    fill(lake, DayRange.of(DAY))
    newer = replace(CLICKS, columns=(*CLICKS.columns, Column("channel", "VARCHAR", "New.")))
    with lake.connect() as con:
        lake.view(con, newer)
        assert con.sql("SELECT DISTINCT channel FROM clicks").fetchall() == [(None,)]
        row = "SELECT 'x' AS id, 1::BIGINT AS n, 'web' AS channel, 0.5::DOUBLE AS pay"
        lake.write(con, newer, row, date(2026, 1, 2))
        lake.view(con, newer)
        found = con.sql("SELECT channel, pay, count(*) FROM clicks GROUP BY ALL ORDER BY 3")
        assert found.fetchall() == [("web", 0.5, 1), (None, None, 5)]


def test_foreign_files_in_the_folders_are_not_read(lake: Lake) -> None:
    fill(lake, DayRange.of(DAY))
    folder = Path(lake.storage.root) / "clicks"
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "dt=2026-01-01" / "notes.txt").write_bytes(b"x")
    (folder / "dt=soon").mkdir()
    (folder / "dt=soon" / "data.parquet").write_bytes(b"x")
    assert counts(lake) == [(DAY, 5)]


def test_missing_days_are_named_with_what_to_do(lake: Lake) -> None:
    fill(lake, DayRange(date(2026, 1, 1), date(2026, 1, 3)))
    lake.require(CLICKS, DayRange(date(2026, 1, 1), date(2026, 1, 3)))
    with pytest.raises(NotReadyError, match=r"`clicks`.*2026-01-04.* and 2 more") as caught:
        lake.require(CLICKS, DayRange(date(2026, 1, 2), date(2026, 1, 10)))
    assert "conversion-platform run" in caught.value.remedy
    with pytest.raises(NotReadyError, match="people"):
        lake.require(PEOPLE)


def test_a_daily_partition_needs_a_day(lake: Lake) -> None:
    with pytest.raises(ValueError, match="clicks is daily"):
        lake.key(CLICKS)


@pytest.mark.parametrize("row_order", ["i", "-i", "hash(i)"])
def test_the_same_rows_give_the_same_bytes_whatever_threads_and_order(
    tmp_path: Path, row_order: str
) -> None:
    digests = set()
    for threads, memory in ((1, "2GB"), (2, "2GB"), (8, "300MB")):
        lake = Lake(LocalStorage(tmp_path / str(threads)), threads, memory)
        with lake.connect() as con:
            con.execute(f"CREATE TABLE r AS {ROWS} ORDER BY {row_order}")
            lake.write(con, CLICKS, "FROM r", DAY)
        digests.add(hashlib.sha256(lake.storage.read(lake.key(CLICKS, DAY))).hexdigest())
    with Lake(LocalStorage(tmp_path / "first")).connect() as con:
        reference = Lake(LocalStorage(tmp_path / "first"))
        reference.write(con, CLICKS, ROWS, DAY)
    digests.add(hashlib.sha256(reference.storage.read(reference.key(CLICKS, DAY))).hexdigest())
    assert len(digests) == 1


def test_what_is_read_together_lies_together(lake: Lake) -> None:
    rooms = Table("rooms", "", (ID, Column("house", "VARCHAR", "")), ("id",), together=("house",))
    with lake.connect() as con:
        rows = "SELECT * FROM (VALUES ('1', 'b'), ('3', 'a'), ('2', 'a')) AS v (id, house)"
        lake.write(con, rooms, rows, date(2026, 1, 1))
        found = con.execute(f"SELECT house, id FROM {lake.select(rooms)}").fetchall()
    assert found == [("a", "2"), ("a", "3"), ("b", "1")]


def test_a_table_of_differences_gives_back_its_rows_to_other_readers(lake: Lake) -> None:
    ids = Table("ids", "", (ID, Column("n", "BIGINT", "")), ("id",), daily=False, delta=True)
    with lake.connect() as con:
        lake.write(con, ids, "SELECT 'row ' || i AS id, i AS n FROM range(9000) r(i)")
    found = pq.read_table(io.BytesIO(lake.storage.read(lake.key(ids)))).to_pylist()
    assert found == sorted(
        ({"id": f"row {i}", "n": i} for i in range(9000)), key=lambda row: str(row["id"])
    )


def test_rows_that_a_query_puts_in_order_stay_in_it(lake: Lake) -> None:
    ids = Table("ids", "", (ID,), ("id",))
    query = "SELECT CAST(i AS VARCHAR) AS id FROM range(3) r(i) ORDER BY i DESC"
    with lake.connect() as con:
        lake.write_parts(con, [Part(ids, query, DAY, ordered=True)])
        found = con.execute(f"SELECT id FROM {lake.select(ids)}").fetchall()
    assert found == [("2",), ("1",), ("0",)]


def test_a_day_has_the_same_bytes_in_a_run_of_one_day_and_in_a_run_of_many(tmp_path: Path) -> None:
    days = DayRange(date(2026, 1, 1), date(2026, 1, 3))
    query = (
        "SELECT 'c' || i AS id, CASE WHEN i % 3 < 2 OR i % 5 > 0 THEN i END AS n, "
        "DATE '2026-01-01' + (i % 3)::INTEGER AS dt FROM range(9000) r(i)"
    )
    together, alone = (Lake(LocalStorage(tmp_path / name)) for name in ("together", "alone"))
    with together.connect() as con:
        together.write_days(con, CLICKS, query, days)
    with alone.connect() as con:
        for day in days:
            only = f"SELECT * FROM ({query}) WHERE dt = DATE '{day}'"
            alone.write_days(con, CLICKS, only, DayRange.of(day))
    for day in days:
        key = together.key(CLICKS, day)
        assert together.storage.read(key) == alone.storage.read(key)


WRITE_FOR_EVER = """
import sys
from datetime import date
from conversion_platform.lake import Column, Lake, LocalStorage, Table
table = Table("clicks", "", (Column("id", "VARCHAR", ""), Column("n", "BIGINT", "")), ("id",))
lake = Lake(LocalStorage(sys.argv[1]))
with lake.connect() as con:
    print("at work", flush=True)
    while True:
        for n in (1, 2):
            rows = f"SELECT i::VARCHAR AS id, {n}::BIGINT AS n FROM range(200000) r(i)"
            lake.write(con, table, rows, date(2026, 1, 1))
"""


@pytest.mark.parametrize("seed", range(5))
def test_a_kill_leaves_the_old_partition_or_the_new(tmp_path: Path, seed: int) -> None:
    lake = Lake(LocalStorage(tmp_path))
    with lake.connect() as con:
        rows = "SELECT i::VARCHAR AS id, 1::BIGINT AS n FROM range(200000) r(i)"
        lake.write(con, CLICKS, rows, DAY)
    kill_at_work(WRITE_FOR_EVER, str(tmp_path), seconds=1, seed=seed)
    with lake.connect() as con:
        lake.view(con, CLICKS)
        found = con.sql("SELECT count(*), count(DISTINCT n) FROM clicks").fetchall()
        assert found == [(200000, 1)]
    lake.storage.clear_staging()
    assert list(lake.storage.staging_folder().iterdir()) == []


def test_two_sessions_spill_at_the_same_time_without_harm(tmp_path: Path) -> None:
    script = """
import sys
from conversion_platform.lake import Lake, LocalStorage
with Lake(LocalStorage(sys.argv[1]), 2, "100MB").connect() as con:
    print(con.sql('''SELECT sum(n) FROM (SELECT row_number() OVER (ORDER BY md5(i::VARCHAR)) AS n,
        repeat(md5(i::VARCHAR), 8) AS ballast FROM range(400000) r(i)) WHERE ballast > \'0\'
    ''').fetchall()[0][0])
"""
    both = [start(script, str(tmp_path)) for _ in range(2)]
    assert [finish(process).strip() for process in both] == ["80000200000"] * 2


def test_a_full_disk_is_one_message_and_the_old_partition_stays(tiny_disk: Path) -> None:
    lake = Lake(LocalStorage(tiny_disk / "lake"))
    fill(lake, DayRange.of(DAY))
    message = r"is full.*unchanged.*\n.*Free space"
    with pytest.raises(DiskFullError, match=message), lake.connect() as con:
        lake.write(con, CLICKS, ROWS, DAY)
    assert counts(lake) == [(DAY, 5)]
    assert list(lake.storage.staging_folder().iterdir()) == []


def test_bytes_that_do_not_fit_on_the_disk_leave_the_old_ones(tiny_disk: Path) -> None:
    storage = LocalStorage(tiny_disk / "lake")
    storage.replace("a", b"old")
    for write in (storage.replace, storage.create):
        with pytest.raises(DiskFullError, match="is full"):
            write("a", os.urandom(2_000_000))
    assert storage.read("a") == b"old"
    assert list(storage.staging_folder().iterdir()) == []


def test_a_full_disk_while_spilling_is_the_same_message(tiny_disk: Path) -> None:
    lake = Lake(LocalStorage(tiny_disk / "lake"), 1, "40MB")
    query = "SELECT i AS id, repeat(md5(i::VARCHAR), 9) AS n FROM range(900000) r(i) ORDER BY n"
    with pytest.raises(LakeError, match=r"is full|more memory"), lake.connect() as con:
        con.execute(f"CREATE TEMP TABLE big AS {query}")


def test_a_file_size_limit_is_one_message_and_the_old_partition_stays(tmp_path: Path) -> None:
    fill(Lake(LocalStorage(tmp_path)), DayRange.of(DAY))
    script = f"""
import resource, sys
from datetime import date
from conversion_platform.errors import LakeError
from conversion_platform.lake import Column, Lake, LocalStorage, Table
table = Table("clicks", "", (Column("id", "VARCHAR", ""),), ("id",))
lake = Lake(LocalStorage(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, {resource.RLIM_INFINITY}))
try:
    with lake.connect() as con:
        lake.write(con, table, {ROWS!r}, date(2026, 1, 1))
except LakeError as error:
    print("first", error)
try:
    lake.storage.replace("a", b"x" * 300_000)
except LakeError as error:
    print("second", error)
"""
    output = finish(start(script, str(tmp_path)))
    assert "first The disk" in output
    assert "second The disk" in output
    assert counts(Lake(LocalStorage(tmp_path))) == [(DAY, 5)]


def test_too_little_memory_names_the_setting(tmp_path: Path) -> None:
    lake = Lake(LocalStorage(tmp_path), 1, "20MB")
    query = "SELECT list(md5(i::VARCHAR) || repeat('x', 99)) FROM range(2000000) r(i)"
    with pytest.raises(MemoryLimitError, match=r"platform\.memory_limit"), lake.connect() as con:
        con.execute(query).fetchall()


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def scramble_footer(data: bytes) -> bytes:
    return data[:-200] + bytes(100) + data[-100:]


@pytest.mark.parametrize(
    "harm", [cut, scramble_footer, lambda data: b"", lambda data: b"id,n\nx,1\n" * 20]
)
def test_a_damaged_partition_is_named(any_lake: Lake, harm: object) -> None:
    fill(any_lake, DayRange(date(2026, 1, 1), date(2026, 1, 3)))
    key = any_lake.key(CLICKS, date(2026, 1, 2))
    any_lake.storage.replace(key, harm(any_lake.storage.read(key)))  # type: ignore[operator]
    named = r"clicks/dt=2026-01-02/data.parquet is damaged"
    with pytest.raises(DamagedFileError, match=named) as caught:
        counts(any_lake)
    assert "again" in caught.value.remedy


def test_a_partition_that_vanishes_while_it_is_used_is_named(lake: Lake) -> None:
    fill(lake, DayRange.of(DAY))
    with (
        pytest.raises(MissingFileError, match=r"data.parquet does not exist"),
        lake.connect() as con,
    ):
        query = lake.select(CLICKS)
        Path(lake.files(CLICKS)[0]).unlink()
        con.execute(query)


def test_errors_that_are_not_about_files_stay_what_they_are(lake: Lake) -> None:
    with pytest.raises(duckdb.CatalogException), lake.connect() as con:
        con.execute("SELECT * FROM nothing")
    with pytest.raises(duckdb.InvalidInputException, match="elsewhere"), lake.connect() as con:
        elsewhere = Path(lake.storage.root).parent / "elsewhere.parquet"
        elsewhere.write_bytes(b"not one of the lake's")
        con.execute(f"SELECT * FROM '{elsewhere}'")


def test_json_documents_are_canonical_and_damage_is_named(any_lake: Lake) -> None:
    any_lake.write_json("models/a.json", {"b": 1, "a": "ä"})
    one = any_lake.storage.read("models/a.json")
    any_lake.write_json("models/a.json", {"a": "ä", "b": 1})
    assert any_lake.storage.read("models/a.json") == one
    assert any_lake.read_json("models/a.json") == {"a": "ä", "b": 1}
    any_lake.storage.replace("models/a.json", one[:8])
    with pytest.raises(DamagedFileError, match=r"models/a.json is damaged"):
        any_lake.read_json("models/a.json")


def test_s3_reads_only_the_columns_asked_for(s3: S3Server) -> None:
    files = s3.files()
    lake = Lake(open_storage(f"s3://{s3.new_bucket()}", files))
    with lake.connect() as con:
        lake.write(con, CLICKS, f"SELECT *, md5(id) AS a, md5(id || 'b') AS b FROM ({ROWS})", DAY)
    fetched: list[int] = []
    files.s3.meta.events.register(
        "after-call.s3.GetObject",
        lambda parsed, **_: fetched.append(parsed["ContentLength"]),
    )
    with lake.connect() as con:
        lake.view(con, CLICKS)
        assert con.sql("SELECT count(DISTINCT k) FROM clicks").fetchall() == [(13,)]
    assert 0 < sum(fetched) < lake.storage.size(lake.key(CLICKS, DAY)) / 3


def test_the_session_counts_in_utc(lake: Lake) -> None:
    with lake.connect() as con:
        row = con.execute("SELECT current_setting('TimeZone')").fetchone()
    assert row == ("UTC",)


def test_this_process_may_write_large_files() -> None:
    """The limit in the test above was the child's alone."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
