"""What `check-sources --sql` prints does the same in a bare DuckDB."""

from __future__ import annotations

import codecs
from pathlib import Path

import duckdb
import pytest

from conversion_platform.marketplace import (
    EVENTS,
    REJECTED_EVENTS,
    REJECTED_EVENTS_UNDATED,
    USERS,
    check_sources,
    script,
)
from conversion_platform_tests.marketplace import world
from conversion_platform_tests.marketplace.world import World, write

EVENT_ROWS = """
SELECT * FROM (VALUES
    ('a', 1, 10, 'impression', '2026-01-02T15:00:00Z'),
    ('a', 1, 10, 'impression', '2026-01-02T15:00:00Z'),
    ('b', 9, 10, 'application', '2026-01-02 16:00:00'),
    (NULL, 2, 20, 'click', '2026-01-03 10:00:00 America/New_York')
) e(event_id, user_id, job_id, event_type, occurred_at)
"""


def _world(folder: Path, extension: str) -> World:
    write(
        "SELECT 1 AS user_id, '$16/hr' AS desired_pay, '+1 212 555 0102' AS phone "
        "UNION ALL SELECT 2, '1,200 USD', NULL UNION ALL SELECT NULL, NULL, NULL",
        folder / f"users.{extension}",
    )
    write(world.JOBS, folder / f"jobs.{extension}")
    write(EVENT_ROWS, folder / f"events/all.{extension}")
    toml = "".join(
        f'[sources.{name}]\npath = "{path}"\n'
        for name, path in (
            ("users", f"users.{extension}"),
            ("jobs", f"jobs.{extension}"),
            ("events", "events"),
        )
    )
    return World(folder, toml)


@pytest.mark.parametrize("extension", ["parquet", "csv", "csv.gz"])
def test_the_printed_steps_give_the_same_rows_and_rejects(tmp_path: Path, extension: str) -> None:
    built = _world(tmp_path, extension)
    printed = script(check_sources(built.settings).steps)
    built.load()
    with duckdb.connect() as con:
        con.execute(printed)
        for table in (USERS, EVENTS):
            names = ", ".join(column.name for column in table.columns)
            step = "final" if table is USERS else "accepted"
            found = con.execute(
                f"SELECT {names} FROM steps.{table.name}_{step} ORDER BY ALL"
            ).fetchall()
            assert found == built.rows(table, names)
            assert found
        rejected = "reason, source, row_number, row_json"
        assert con.execute(
            f"SELECT {rejected} FROM steps.events_rejected ORDER BY ALL"
        ).fetchall() == sorted(
            row
            for table in (REJECTED_EVENTS, REJECTED_EVENTS_UNDATED)
            for row in built.rows(table, rejected)
        )


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-8-sig"])
def test_the_printed_steps_read_another_encoding(tmp_path: Path, encoding: str) -> None:
    built = _world(tmp_path, "csv")
    lines = "user_id,region,time_zone\n1,Québec,America/Toronto\n2,São Paulo,AST\n"
    (tmp_path / "users.csv").write_bytes(lines.encode(encoding))
    users = f'[sources.users]\npath = "users.csv"\nencoding = "{encoding}"'
    built.toml = built.toml.replace('[sources.users]\npath = "users.csv"', users)
    printed = script(check_sources(built.settings).steps)
    with duckdb.connect() as con:
        con.execute(printed)
        query = "SELECT user_id, region, time_zone FROM steps.users_final ORDER BY 1"
        found = con.execute(query).fetchall()
    assert found == [("1", "Québec", "America/Toronto"), ("2", "São Paulo", None)]
    assert "convert" not in printed


@pytest.mark.parametrize("is_input", [False, True])
@pytest.mark.parametrize("encoding", ["cp1252", "shift_jis", "utf-16-be", "marked utf-16-be"])
def test_the_printed_steps_say_which_file_has_to_be_converted_first_and_read_that_one(
    tmp_path: Path, encoding: str, is_input: bool
) -> None:
    built, name = _world(tmp_path, "csv"), encoding.rpartition(" ")[2]
    region = "東京" if name == "shift_jis" else "Québec"
    lines = f"user_id,region\n1,{region}\n2,Paris\n"
    mark = codecs.BOM_UTF16_BE if encoding.startswith("marked") else b""
    (tmp_path / "users.csv").write_bytes(mark + lines.encode(name))
    place = f'path = "users.csv"\nencoding = "{"utf-8" if mark else name}"'
    users = f"[sources.users]\n{place}"
    if is_input:
        query = '[sources.users]\nsql = "SELECT user_id, region FROM people"'
        users = f"[inputs.people]\n{place}\n{query}"
    built.toml = built.toml.replace('[sources.users]\npath = "users.csv"', users)
    printed = script(check_sources(built.settings).steps)
    (comment,) = (line for line in printed.splitlines() if "convert it to UTF-8 first" in line)
    assert comment.startswith("-- ")
    assert "users.csv" in comment
    (tmp_path / "_utf-8_users.csv").write_text(lines, encoding="utf-8")
    with duckdb.connect() as con:
        con.execute(printed)
        found = con.execute("SELECT user_id, region FROM steps.users_final ORDER BY 1").fetchall()
    assert found == [("1", region), ("2", "Paris")]
    assert built.load_users().read_rows == 2


def test_the_printed_steps_begin_at_the_row_of_the_header(tmp_path: Path) -> None:
    built = _world(tmp_path, "csv")
    (tmp_path / "users.csv").write_text('A title, "of us"\n\nuser_id,region\n1,a\n2,b\n')
    users = '[sources.users]\npath = "users.csv"\nheader_row = 3'
    built.toml = built.toml.replace('[sources.users]\npath = "users.csv"', users)
    with duckdb.connect() as con:
        con.execute(script(check_sources(built.settings).steps))
        found = con.execute("SELECT user_id FROM steps.users_final ORDER BY 1").fetchall()
    assert found == [("1",), ("2",)]


def test_the_printed_steps_hold_no_value_of_a_broken_line(tmp_path: Path) -> None:
    built = _world(tmp_path, "csv")
    with (tmp_path / "users.csv").open("a") as file:
        file.write("7,+1 212 555 0199,a,b,c\n")
    printed = script(check_sources(built.settings).steps)
    assert "555" not in printed
    assert "split into columns: 1," in printed


FAMILIES = """SELECT i AS user_id, (i % 3 + 2) || ' Smithson' AS household,
    'Xanadu' || (i % 2) AS region, 'CHF ' || (i * 7) AS spent, i || ' Quux' AS household_unit,
    (i * 3) || ' Wibble' AS desired_pay, '1,20' || i AS groups, 'Yes' AS vip,
    TIMESTAMPTZ '2025-01-01 00:00:00Z' + to_days(i::INT) AS valid_from
FROM range(1, 9) t(i)"""
WORDS_OF_CELLS = ("smithson", "xanadu", "quux", "wibble")


@pytest.mark.parametrize(("extension", "dated"), [("parquet", True), ("csv", False)])
def test_the_printed_steps_hold_no_word_of_a_cell_and_read_its_unit_all_the_same(
    tmp_path: Path, extension: str, dated: bool
) -> None:
    """A column of households may say a name as if it were a unit: `3 Smithson`, `4 Smithson`."""
    built = _world(tmp_path, extension)
    rows = FAMILIES if dated else f"SELECT * EXCLUDE (valid_from) FROM ({FAMILIES})"
    changed = "valid_from + INTERVAL 9 DAY AS valid_from, 'Xanadu' AS region"
    later = f"UNION ALL SELECT * REPLACE ({changed}) FROM ({rows})" if dated else ""
    write(f"{rows} {later}", tmp_path / f"users.{extension}")
    printed = script(check_sources(built.settings).steps)
    assert [word for word in WORDS_OF_CELLS if word in printed.lower()] == []
    built.load()
    names = "user_id, household, spent, household_unit, groups, vip, desired_pay"
    with duckdb.connect() as con:
        con.execute(printed)
        found = con.execute(f"SELECT {names} FROM steps.users_final ORDER BY ALL").fetchall()
        if dated:
            told = con.execute("SELECT count(*), count(present) FROM steps.users_versions")
            assert told.fetchone() == (16, 16)
    assert found == built.rows(USERS, names)
    assert found[0] == ("1", 3.0, 7.0, 1.0, 1201.0, True, 3.0)
