"""The header of each file says which column is which; names in SQL ignore the case, sources not."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conversion_platform.errors import SourceError
from conversion_platform.marketplace import (
    ATTRIBUTES,
    EVENTS,
    REJECTED_EVENTS_UNDATED,
    REJECTED_USERS,
    USERS,
    USERS_CONTACTS,
    check_sources,
    script,
)
from conversion_platform.marketplace.headers import snake
from conversion_platform_tests.marketplace.world import World

EXTENSIONS = pytest.mark.parametrize("extension", ["csv", "parquet"])


def _table(file: Path, header: list[str], *rows: list[str | None]) -> None:
    """Write a table of texts to a file of the kind that its name says."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".csv":
        lines = [",".join(header), *(",".join(value or "" for value in row) for row in rows)]
        file.write_text("\n".join([*lines, ""]))
    else:
        arrays = [
            pa.array([row[place] for row in rows], pa.string()) for place in range(len(header))
        ]
        pq.write_table(pa.Table.from_arrays(arrays, names=header), file)


def _world(folder: Path, path: str = "users", **columns: str) -> World:
    mapped = "".join(f'{name} = "{given}"\n' for name, given in columns.items())
    toml = f'[sources.users]\npath = "{path}"\n[sources.users.columns]\n{mapped}'
    return World(folder, toml).fill()


@EXTENSIONS
def test_columns_are_matched_file_by_file_in_any_order_and_any_way_of_writing(
    tmp_path: Path, extension: str
) -> None:
    users = tmp_path / "users"
    _table(users / f"0.{extension}", ["user_id", "region", "shift"], ["1", "a", "day"])
    _table(users / f"1.{extension}", ["shift", "user_id", "region"], ["night", "2", "b"])
    _table(users / f"2.{extension}", ["Region", "User ID", "extra"], ["c", "3", "x"])
    built = _world(tmp_path)
    built.load_users()
    assert built.rows(USERS, "user_id, region, shift, extra") == [
        ("1", "a", "day", None),
        ("2", "b", "night", None),
        ("3", "c", None, "x"),
    ]


@EXTENSIONS
@pytest.mark.parametrize(
    ("header", "wanted", "expected"),
    [
        (["id", "ID", "name"], "ID", "2"),
        (["ID", "id", "name"], "ID", "1"),
        (["id", "ID", "name"], "id", "1"),
        (["user_id", "USER_ID", "name"], "USER_ID", "2"),
        (["user_id", "USER_ID", "name"], "user_id", "1"),
        (["Id", "x", "name"], "ID", "1"),
    ],
)
def test_a_mapped_name_is_that_column_and_not_one_in_another_case(
    tmp_path: Path, extension: str, header: list[str], wanted: str, expected: str
) -> None:
    _table(tmp_path / f"users.{extension}", header, ["1", "2", "n"])
    built = _world(tmp_path, f"users.{extension}", user_id=wanted)
    built.load_users()
    assert built.rows(USERS, "user_id") == [(expected,)]


@EXTENSIONS
def test_names_that_differ_by_case_stay_apart_in_files_of_another_order(
    tmp_path: Path, extension: str
) -> None:
    _table(tmp_path / f"users/0.{extension}", ["id", "ID"], ["small", "1"])
    _table(tmp_path / f"users/1.{extension}", ["ID", "id"], ["2", "small"])
    built = _world(tmp_path, user_id="ID")
    built.load_users()
    assert built.rows(USERS, "user_id") == [("1",), ("2",)]


@EXTENSIONS
@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (["id", "Id"], {"user_id": "ID"}),
        (["User ID", "UserId"], {}),
        (["USER_ID", "User_Id"], {}),
    ],
)
def test_a_name_that_could_be_several_columns_is_refused(
    tmp_path: Path, extension: str, header: list[str], columns: dict[str, str]
) -> None:
    _table(tmp_path / f"users.{extension}", header, ["1", "2"])
    with pytest.raises(SourceError, match=f"several columns.*`{header[0]}`.*`{header[1]}`"):
        _world(tmp_path, f"users.{extension}", **columns).load_users()


def test_a_name_that_could_be_several_columns_of_earlier_files_is_refused(tmp_path: Path) -> None:
    _table(tmp_path / "users/0.csv", ["user_id", "Pay Rate", "PayRate"], ["1", "2", "3"])
    _table(tmp_path / "users/1.csv", ["user_id", "pay_rate"], ["1", "2"])
    with pytest.raises(SourceError, match=r"several columns.*`pay_rate`.*Pay Rate.*PayRate"):
        _world(tmp_path).load_users()


@pytest.mark.parametrize("row", ["2,2026-01-01T05:00:00Z", "2,2", "abc,"])
def test_a_file_without_a_header_is_named(tmp_path: Path, row: str) -> None:
    (tmp_path / "users").mkdir()
    (tmp_path / "users/part-0.csv").write_text("user_id,created_at\n1,2026-01-01T05:00:00Z\n")
    (tmp_path / "users/part-1.csv").write_text(f"{row}\n3,2026-01-01T05:00:00Z\n")
    with pytest.raises(SourceError, match=r"part-1\.csv has no column `user_id`.*has it a header"):
        _world(tmp_path).load_users()


def test_a_single_file_without_a_header_says_which_column_is_missing(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("1,2026-01-01T05:00:00Z\n2,2026-01-01T05:00:00Z\n")
    with pytest.raises(SourceError, match=r"users\.csv has no column `user_id`"):
        _world(tmp_path, "users.csv").load_users()


@EXTENSIONS
def test_a_file_that_lacks_a_mapped_required_column_is_named(
    tmp_path: Path, extension: str
) -> None:
    _table(tmp_path / f"users/0.{extension}", ["Person", "region"], ["1", "a"])
    _table(tmp_path / f"users/1.{extension}", ["Human", "region"], ["2", "b"])
    with pytest.raises(SourceError, match=rf"1\.{extension} has no column `Person`"):
        _world(tmp_path, user_id="Person").load_users()


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_header_may_span_lines_as_excel_writes_it(tmp_path: Path, end: str, mark: str) -> None:
    text = f'"user{end}id","created{end}at",region{end}1,2026-01-01T05:00:00Z,a{end}2,,b{end}x{end}'
    (tmp_path / "users.csv").write_text(text.replace(",", mark), newline="")
    built = _world(tmp_path, "users.csv")
    loaded = built.load_users()
    assert (loaded.read_rows, loaded.rejects) == (3, {"broken_line": 1})
    assert built.rows(USERS, "user_id, region") == [("1", "a"), ("2", "b")]
    assert built.rows(REJECTED_USERS, "row_number") == [(3,)]


@EXTENSIONS
@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("401k", "401k"),
        ("2FA Enabled", "2_fa_enabled"),
        ("1st shift", "1st_shift"),
        ("select", "select"),
        ("it's", "it_s"),
        ("100 %", "100"),
        ("Größe", "grosse"),
        ("給料", "給料"),
        ("from.{where}", "from_where"),
        ("$columns", "columns"),
    ],
)
def test_a_further_column_may_have_any_name(
    tmp_path: Path, extension: str, given: str, name: str
) -> None:
    _table(tmp_path / f"users/0.{extension}", ["user_id", given], ["1", "x"], ["2", "y"])
    _table(tmp_path / f"users/1.{extension}", [given, "user_id"], ["x", "3"], ["y", "4"])
    built = _world(tmp_path)
    built.toml = f'[sources.users]\npath = "users"\nattributes = [{json.dumps(given)}]\n'
    built.attributes()
    assert built.rows(ATTRIBUTES, "column_name, kind, used") == [(name, "categorical", True)]
    assert built.rows(USERS, f'user_id, "{name}"') == [
        ("1", "x"),
        ("2", "y"),
        ("3", "x"),
        ("4", "y"),
    ]


def test_a_name_with_quotes_in_it_is_a_name(tmp_path: Path) -> None:
    text = 'user_id,"size ""XL"", in cm"\n1,a\n2,b\n'
    (tmp_path / "users.csv").write_text(text)
    built = _world(tmp_path, "users.csv", region='size \\"XL\\", in cm')
    built.load_users()
    assert built.rows(USERS, "user_id, region") == [("1", "a"), ("2", "b")]


def test_columns_without_a_name_are_told_by_their_place(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text(",user_id,\n0,1,x\n1,2,y\n")
    built = _world(tmp_path, "users.csv")
    built.load_users()
    assert built.rows(USERS, "user_id, column_1, column_3") == [("1", 0.0, "x"), ("2", 1.0, "y")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["users.csv", "users.csv.gz"])
@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("user_id,region,", ["1,a", "2,b"]),
        ("user_id,region,", ["1,a"] + ["2,b"] * 40),
        ("user_id,region,", ['1,"a"', "2,b,"]),
        ("user_id;region; ", ["1;a", "2;b"]),
        ('"user_id","region",', ['"1","a"', '"2","b"']),
        ("user_id,region,", ["1,a", *["2,b"] * 17, '2,"a value', 'of lines"']),
        ("title\nuser_id,region,", ["1,a", "2,b"]),
    ],
)
def test_an_empty_last_name_that_no_row_has_a_field_for_is_no_column(
    tmp_path: Path, header: str, rows: list[str], name: str, end: str
) -> None:
    data = end.join([*header.split("\n"), *rows, ""]).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    toml = f'path = "{name}"\nduplicates = "first"\nheader_row = {len(header.splitlines())}\n'
    built = World(tmp_path, f"[sources.users]\n{toml}").fill()
    assert set(built.load_users().rejects) <= {"duplicate_id"}
    assert built.rows(USERS, "user_id, region") == [("1", "a"), ("2", "b")]
    assert not [name for name in built.columns(USERS_CONTACTS) if "column" in name]


def test_an_empty_last_name_is_a_column_where_one_of_the_first_rows_has_a_value(
    tmp_path: Path,
) -> None:
    (tmp_path / "users.csv").write_text("user_id,region,\n1,a\n2,b,\n3,c,x\n")
    built = _world(tmp_path, "users.csv")
    assert built.load_users().rejects == {"broken_line": 1}
    assert built.rows(USERS, "user_id, column_3") == [("2", None), ("3", "x")]


def test_of_an_empty_last_name_that_is_no_column_a_later_value_is_a_broken_line(
    tmp_path: Path,
) -> None:
    rows = "".join(f"{number},a\n" for number in range(30))
    (tmp_path / "users.csv").write_text(f"user_id,region,\n{rows}30,a,x\n31,a,\n")
    loaded = _world(tmp_path, "users.csv").load_users()
    assert (loaded.accepted_rows, loaded.rejects) == (31, {"broken_line": 1})


def test_a_header_that_ends_in_a_delimiter_is_read_by_the_printed_steps_too(
    tmp_path: Path,
) -> None:
    (tmp_path / "users.csv").write_text('user_id,region,\n1,"a"\n2,b\n')
    printed = script(check_sources(_world(tmp_path, "users.csv").settings).steps)
    with duckdb.connect() as con:
        con.execute(printed)
        assert len(con.execute("FROM steps.users_final").fetchall()) == 2


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("header", [b"user_id,phone", b"User ID,Phone", b'"user_id","phone"'])
def test_a_header_in_the_middle_of_a_file_is_a_broken_line(
    tmp_path: Path, mark: bytes, header: bytes
) -> None:
    first = header + b"\n1,+12125550101\n,+12125550102\n"
    second = mark + header + b"\n2,+12125550103\n,+12125550104\n"
    (tmp_path / "users.csv").write_bytes(mark + first + second)
    built = _world(tmp_path, "users.csv")
    loaded = built.load_users()
    assert loaded.rejects == {"broken_line": 1, "missing_id": 2}
    assert built.rows(USERS, "user_id, phone") == [("1", "+12125550101"), ("2", "+12125550103")]
    assert built.rows(REJECTED_USERS, "row_number, reason") == [
        (2, "missing_id"),
        (3, "broken_line"),
        (5, "missing_id"),
    ]


def test_a_header_that_repeats_under_the_names_of_its_own_file_is_a_broken_line(
    tmp_path: Path,
) -> None:
    (tmp_path / "users").mkdir()
    (tmp_path / "users/0.csv").write_text("user_id,phone\n1,+12125550101\n")
    second = "User ID,Phone\n2,+12125550102\nUser ID,Phone\n3,+12125550103\n"
    (tmp_path / "users/1.csv").write_text(second)
    built = _world(tmp_path)
    assert built.load_users().rejects == {"broken_line": 1}
    assert built.rows(USERS, "user_id") == [("1",), ("2",), ("3",)]


def test_a_header_in_the_middle_of_mapped_events_is_a_broken_line(tmp_path: Path) -> None:
    header = "who,what,kind,seen\n"
    first, second = "1,10,click,2026-01-02T15:00:00Z\n", "2,20,click,2026-01-03T15:00:00Z\n"
    (tmp_path / "events.csv").write_text(header + first + header + second)
    toml = (
        '[sources.events]\npath = "events.csv"\n[sources.events.columns]\n'
        'user_id = "who"\njob_id = "what"\nevent_type = "kind"\noccurred_at = "seen"\n'
    )
    built = World(tmp_path, toml).fill()
    _, _, loaded = built.load()
    assert loaded.rejects == {"broken_line": 1}
    assert built.rows(EVENTS, "user_id, job_id") == [("1", "10"), ("2", "20")]
    ((number, row),) = built.rows(REJECTED_EVENTS_UNDATED, "row_number, row_json")
    assert (number, "who" in row) == (2, True)
    assert json.loads(row)


def test_an_id_like_its_column_is_an_id_where_no_header_can_be(tmp_path: Path) -> None:
    _table(tmp_path / "users.parquet", ["user_id", "region"], ["user_id", "a"], ["2", "b"])
    built = _world(tmp_path, "users.parquet")
    assert built.load_users().rejects == {}
    assert built.rows(USERS, "user_id") == [("2",), ("user_id",)]


NAMES = ["id", "named", "dt", "day", "first_at", "place", "reason", "cell", "item", "line", "rows"]


@pytest.mark.parametrize("name", NAMES)
def test_a_column_may_have_a_name_that_a_query_of_the_platform_uses(
    tmp_path: Path, name: str
) -> None:
    """Users without `created_at`, so that the events are asked for their first day."""
    _table(tmp_path / "users.csv", ["user_id", name], ["1", "x"], ["2", "y"], ["2", "y"])
    header = ["event_id", "user_id", "job_id", "event_type", "occurred_at", name]
    event = ["1", "10", "click", "2026-01-02T15:00:00Z"]
    _table(tmp_path / "events.csv", header, ["a", *event, "x"], ["b", *event, "y"])
    toml = '[sources.users]\npath = "users.csv"\n[sources.events]\npath = "events.csv"\n'
    built = World(tmp_path, toml).fill()
    users, _, events = built.load()
    assert (users.rejects, events.rejects) == ({"duplicate_id": 1}, {})
    assert built.rows(USERS, "user_id, created_at::DATE::VARCHAR", "user_id") == [
        ("1", "2026-01-02"),
        ("2", "2026-01-01"),
    ]
    assert built.rows(EVENTS, "event_id") == [("a",), ("b",)]


def test_a_column_id_of_the_source_may_be_mapped_in_each_source(tmp_path: Path) -> None:
    _table(tmp_path / "users.csv", ["id"], ["1"], ["2"])
    _table(tmp_path / "jobs.csv", ["id", "title"], ["10", "Cook"], ["20", "Chef"])
    header = ["id", "user_id", "job_id", "event_type", "occurred_at"]
    _table(tmp_path / "events.csv", header, ["a", "1", "10", "click", "2026-01-02T15:00:00Z"])
    toml = "".join(
        f'[sources.{name}]\npath = "{name}.csv"\ncolumns = {{ {key} = "id" }}\n'
        for name, key in (("users", "user_id"), ("jobs", "job_id"), ("events", "event_id"))
    )
    built = World(tmp_path, toml)
    assert [loaded.rejects for loaded in built.load()] == [{}, {}, {}]
    assert built.rows(EVENTS, "event_id, user_id, job_id") == [("a", "1", "10")]


@EXTENSIONS
def test_further_columns_of_one_name_are_numbered_as_the_first_file_has_them(
    tmp_path: Path, extension: str
) -> None:
    """Files whose columns are in the same order are read together, and those came in any order."""
    _table(tmp_path / f"users/0.{extension}", ["user_id", "Notes", "notes!"], ["1", "a", "b"])
    _table(tmp_path / f"users/1.{extension}", ["notes!", "Notes", "user_id"], ["d", "c", "2"])
    built = _world(tmp_path)
    built.load_users()
    assert built.rows(USERS, "user_id, notes, notes_2") == [("1", "a", "b"), ("2", "c", "d")]


@EXTENSIONS
@pytest.mark.parametrize("name", ["file_index", "filename", "File_Row_Number"])
def test_a_column_named_like_one_that_the_reader_adds_is_a_column(
    tmp_path: Path, extension: str, name: str
) -> None:
    """Two files: the reader tells them apart by a column that has such a name."""
    toml = f'[sources.users]\npath = "users/*.{extension}"\nattributes = ["{name}"]\n'
    _table(tmp_path / f"users/0.{extension}", ["user_id", name], ["1", "a"], ["2", "b"])
    _table(tmp_path / f"users/1.{extension}", ["user_id", name], ["", "c"], ["3", "0"])
    built = World(tmp_path, toml).fill()
    assert built.load_users().rejects == {"missing_id": 1}
    expected = [("1", "a"), ("2", "b"), ("3", "0")]
    assert built.rows(USERS, f"user_id, {name}", "user_id") == expected
    found = built.rows(REJECTED_USERS, "source, row_number")
    assert found == [(f"users/1.{extension}", 1)]


@pytest.mark.parametrize("name", ["file_index", "filename", "file_row_number"])
def test_sql_may_name_a_column_like_one_that_the_reader_adds(tmp_path: Path, name: str) -> None:
    _table(tmp_path / "users.csv", ["user_id", name], ["1", "a"], ["2", "b"])
    toml = f"""[sources.users]
attributes = ["{name}"]
sql = "SELECT user_id, {name} FROM exported"
[inputs.exported]
path = "users.csv"
"""
    built = World(tmp_path, toml).fill()
    built.load_users()
    assert built.rows(USERS, f"user_id, {name}", "user_id") == [("1", "a"), ("2", "b")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *(("State.Name", "state_name"), ("stateName", "state_name"), ("  User ID ", "user_id")),
        *(("Âge", "age"), ("A\u0302ge", "age"), ("género", "genero"), ("Größe", "grosse")),
        *(("Район", "район"), ("РАЙОН", "район"), ("Й", "й"), ("地区 名", "地区_名")),
        *(("नाम", "नाम"), ("\uff29\uff24", "id"), ("\uff11\uff12", "12"), ("№", "no")),
        *(("$", "dollar_sign"), ("#!", "number_sign_exclamation_mark"), ("\x07", "column")),
    ],
)
def test_a_name_in_snake_case_keeps_letters_and_digits_of_every_script(
    name: str, expected: str
) -> None:
    assert snake(name) == expected
    assert snake(expected) == expected


@pytest.mark.parametrize("listed", ["Район", "район"])
def test_a_listed_column_of_another_script_stays_the_same_in_any_order(
    tmp_path: Path, listed: str
) -> None:
    """Columns were numbered by their place: next day's `column` were the names of people."""
    toml = f'[sources.users]\npath = "users.csv"\nattributes = ["{listed}"]\n'
    built = World(tmp_path, toml).fill()
    for header, row in (
        (["user_id", "Район", "Имя"], ["1", "Север", "Иван"]),
        (["user_id", "Имя", "Район"], ["1", "Иван", "Север"]),
    ):
        _table(tmp_path / "users.csv", header, row)
        built.attributes()
        assert built.rows(USERS, '"район", "имя"') == [("Север", "Иван")]
        assert built.columns(USERS)[-1] == "район"
