"""CSV files that no reader should have to read: nothing is lost, and each reject is found."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversion_platform.marketplace import REJECTED_USERS, USERS, csv_lines
from conversion_platform.marketplace.csv_files import csv_relation
from conversion_platform.marketplace.csv_heads import Head
from conversion_platform.marketplace.files import SourceFile
from conversion_platform.settings import InputSection
from conversion_platform_tests.marketplace.world import World

TOML = '[sources.users]\npath = "{}"\n'


def _users(folder: Path, text: str | bytes, name: str = "users.csv") -> World:
    data = text.encode() if isinstance(text, str) else text
    (folder / name).write_bytes(gzip.compress(data) if name.lower().endswith(".gz") else data)
    return World(folder, TOML.format(name)).fill()


def _kept(built: World) -> list[tuple[int, str]]:
    """Number and text of the broken lines."""
    found = built.rows(REJECTED_USERS, "row_number, reason, row_json", "row_number")
    return [(n, json.loads(row)["line"]) for n, why, row in found if why == "broken_line"]


@pytest.mark.parametrize("name", ["users.csv", "users.csv.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_are_counted_from_the_header_with_broken_ones_and_without_blank_lines(
    tmp_path: Path, name: str, end: str
) -> None:
    lines = ["user_id,region", "", "1,a", "x", ",b", "", "2,c", "x,y,z", "w", ",d", "1,a"]
    built = _users(tmp_path, end.join([*lines, ""]), name)
    loaded = built.load_users()
    assert loaded.read_rows == 8
    assert built.rows(REJECTED_USERS, "row_number, reason", "row_number") == [
        (2, "broken_line"),
        (3, "missing_id"),
        (5, "broken_line"),
        (6, "broken_line"),
        (7, "missing_id"),
        (8, "duplicate_id"),
    ]


def test_numbers_are_those_of_each_file_and_reach_rejects_of_sql(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user_id,region\nbroken\n1,a\n,b\n")
    (tmp_path / "b.csv").write_text("user_id,region\n,a\nbroken\n,b\n")
    toml = """
    [inputs.people]
    path = "*.csv"
    [sources.users]
    sql = "SELECT * FROM people"
    """
    built = World(tmp_path, toml).fill()
    built.load_users()
    assert built.rows(REJECTED_USERS, "source, row_number") == [
        ("a.csv", 1),
        ("a.csv", 3),
        ("b.csv", 1),
        ("b.csv", 2),
        ("b.csv", 3),
    ]


@pytest.mark.parametrize("name", ["users.csv", "users.csv.gz"])
@pytest.mark.parametrize(
    ("above", "row"), [('All applicants\n\n5" of paper, printed\n', 4), ("sep=,\n\n", 2)]
)
def test_lines_above_the_header_are_not_read(
    tmp_path: Path, name: str, above: str, row: int
) -> None:
    data = f"{above}user_id,region\n1,a\nbroken\n2,b\n".encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    built = World(tmp_path, f"{TOML.format(name)}header_row = {row}\n").fill()
    assert built.load_users().read_rows == 3
    assert built.rows(USERS, "user_id, region") == [("1", "a"), ("2", "b")]
    assert built.rows(REJECTED_USERS, "row_number") == [(2,)]


@pytest.mark.parametrize("text", ["1,a\r\n2,b\n3,c\r\n", "1,a\n2,b\r\n3,c\n", "1,a\n2,b\r3,c"])
def test_lines_that_end_in_different_ways_are_all_read(tmp_path: Path, text: str) -> None:
    built = _users(tmp_path, f"user_id,region\n{text}")
    assert built.load_users().rejects == {}
    assert built.rows(USERS, "user_id, region") == [("1", "a"), ("2", "b"), ("3", "c")]


def _relation(folder: Path, lines: list[str], end: str = "\n") -> tuple[int, list[tuple[int, str]]]:
    """Rows of a large file, and number and text of its broken lines."""
    file = folder / "large.csv"
    file.write_text(end.join([*lines, ""]), newline="")
    with duckdb.connect() as con:
        found = csv_relation(
            con,
            "sources.users",
            "large.csv",
            [SourceFile(str(file), "large.csv")],
            InputSection(path="large.csv"),
            folder,
        )
        rows = con.execute(f"SELECT count(*) FROM {found.query}").fetchall()[0][0]
    return rows, [(line.number, line.text) for line in found.broken]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quoted", [False, True])
def test_a_quote_that_does_not_close_costs_its_own_line_alone(
    tmp_path: Path, end: str, quoted: bool
) -> None:
    """At a size at which a reader works in parallel."""
    value = '"region {}"' if quoted else "region {}"
    lines = [f"{n},{value.format(n)}" for n in range(1_200_000)]
    lines[500_000] = '500000,"open'
    rows, broken = _relation(tmp_path, ["user_id,region", *lines], end)
    assert (rows, broken) == (1_199_999, [(500_001, '500000,"open')])


def test_quotes_inside_a_field_are_part_of_it(tmp_path: Path) -> None:
    built = _users(tmp_path, 'user_id,region,shift\n1,5" pipe,a\n2,5" x 6",b\n3,"6"" pipe",c\n')
    assert built.load_users().rejects == {}
    assert built.rows(USERS, "user_id, region, shift") == [
        ("1", '5" pipe', "a"),
        ("2", '5" x 6"', "b"),
        ("3", '6" pipe', "c"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_blank_lines_before_the_header_are_skipped(tmp_path: Path, end: str) -> None:
    built = _users(tmp_path, end.join(["", "", "user_id,region", "1,a", "x"]))
    assert built.load_users().rejects == {"broken_line": 1}
    assert built.rows(USERS, "user_id, region") == [("1", "a")]


def test_a_large_file_whose_lines_end_in_carriage_returns_is_read_by_its_own_header(
    tmp_path: Path,
) -> None:
    """Letters of two bytes stand wherever the first mebibyte ends; the last row has a bad byte."""
    rows = [f"{number},{'é' * 60};;;" for number in range(10_000)]
    built = _users(tmp_path, "\r".join(["user_id,region", *rows]).encode() + b"\r1,\xff\r")
    loaded = built.load_users()
    assert (loaded.read_rows, loaded.rejects) == (10_001, {"broken_line": 1})


def test_a_value_of_several_lines_is_one_value(tmp_path: Path) -> None:
    built = _users(tmp_path, 'user_id,region\n1,"a\n\nb ""c"" d\n"\n2,e\nx\n')
    assert built.load_users().rejects == {"broken_line": 1}
    assert built.rows(USERS, "user_id, region") == [("1", 'a\n\nb "c" d'), ("2", "e")]
    assert _kept(built) == [(3, "x")]


def test_an_open_quote_behind_a_quote_inside_a_field_is_found(
    tmp_path: Path,
) -> None:
    lines = [f"{n},a,b" for n in range(100_000)]
    lines[10] = '10,5" pipe,"open'
    rows, broken = _relation(tmp_path, ["user_id,region,shift", *lines])
    assert (rows, broken) == (99_999, [(11, '10,5" pipe,"open')])


def test_a_broken_line_says_what_is_wrong_with_it_in_its_own_letters(tmp_path: Path) -> None:
    text = 'user_id,region\n0,"a"b"\n2,4" pipe,c\n3\n4,"Paris"\n5,"Orléans\n6,x\n'
    built = _users(tmp_path, text, "USERS.CSV.GZ")
    built.load_users()
    assert _kept(built) == [(1, '0,"a"b"'), (2, '2,4" pipe,c'), (3, "3"), (5, '5,"Orléans')]
    details = [text for (text,) in built.rows(REJECTED_USERS, "detail", "row_number")]
    assert "cannot be split" in details[0]
    assert details[1:] == [
        "It has 3 fields, not 2.",
        "It has 1 field, not 2.",
        "A quote does not close.",
    ]
    assert built.rows(USERS, "region") == [("Paris",), ("x",)]


def test_bytes_that_are_not_utf_8_cost_their_own_line(tmp_path: Path) -> None:
    built = _users(tmp_path, b'user_id,region\n1,"caf\xe9"\n2,"caf\xc3\xa9"\n')
    assert built.load_users().rejects == {"broken_line": 1}
    assert built.rows(USERS, "user_id, region") == [("2", "café")]


FIELD = st.text(alphabet='ab",\n\r é', max_size=6)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.tuples(FIELD, FIELD), min_size=1, max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_whatever_a_csv_writer_writes_is_read_back(
    rows: list[tuple[str, str]], end: str, quoting: int
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["user_id", "a", "b"])
    for number, row in enumerate(rows):
        # Python's writer leaves a carriage return bare where it need not quote.
        plain = row if quoting == csv.QUOTE_ALL else [value.replace("\r", "") for value in row]
        writer.writerow([f"u{number}", *plain])
    with tempfile.TemporaryDirectory() as folder:
        built = _users(Path(folder), out.getvalue())
        loaded = built.load_users()
        assert (loaded.read_rows, loaded.rejects) == (len(rows), {})


CELLS = st.sampled_from(["", "", "a", "bc", "a a", "b\tc", " a", "a\x0b", "\t", "é", "\u00a0"])


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS), max_size=3),
    delimiter=st.sampled_from([",", "\t"]),
    is_ended=st.booleans(),
    chunk=st.integers(4, 9),
)
def test_cells_count_as_trimmed_if_none_begins_or_ends_with_a_blank(
    rows: list[tuple[str, str]], delimiter: str, is_ended: bool, chunk: int
) -> None:
    cells = [[cell.replace(delimiter, "") for cell in row] for row in [("h", "i"), *rows]]
    text = "\n".join(delimiter.join(row) for row in cells) + ("\n" if is_ended else "")
    edges = {cell[place] for row in cells for cell in row if cell for place in (0, -1)}
    with tempfile.TemporaryDirectory() as folder, patch.object(csv_lines, "_CHUNK", chunk):
        (Path(folder) / "in.csv").write_bytes(text.encode())
        lines = csv_lines.plain_lines(Path(folder) / "in.csv", delimiter)
    assert lines is not None
    assert lines.trimmed == (text.isascii() and all(edge > " " for edge in edges))


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_blanks_around_cells_of_a_file_without_quotes_are_no_part_of_them(
    tmp_path: Path, delimiter: str
) -> None:
    rows = ["user_id,region", "u1,west", " u2,west", "u3\t,west", "u4, west", "u5,west "]
    built = _users(tmp_path, "\n".join(rows).replace(",", delimiter))
    assert built.load_users().rejects == {}
    found = built.rows(USERS, "user_id, region", "user_id")
    assert found == [(f"u{number}", "west") for number in range(1, 6)]


def test_blanks_around_the_value_of_a_folder_are_no_part_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "people/region= west "
    folder.mkdir(parents=True)
    (folder / "users.csv").write_text("user_id,shift\nu1,day\n")
    built = World(tmp_path, '[sources.users]\npath = "people"\n').fill()
    built.load_users()
    assert built.rows(USERS, "user_id, region") == [("u1", "west")]


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet='ab",\n\r', max_size=60))
def test_no_byte_of_a_file_is_lost_on_the_way_to_the_reader(text: str) -> None:
    """Lines that are not open stand in the copy; the open ones are kept aside."""
    with tempfile.TemporaryDirectory() as folder:
        file, copy = Path(folder) / "in.csv", Path(folder) / "copy.csv"
        file.write_bytes(f"h,i\n{text}".encode())
        lines = csv_lines.safe_lines(file, Head(("h", "i"), ",", "utf-8"), copy)
        written = Path(lines.location).read_text()
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = written.replace(",,x\n", "") + "".join(one.text for one in lines.unsafe.values())
    letters = sorted(letter for letter in plain if letter in "ab")
    assert sorted(letter for letter in kept if letter in "ab") == letters
