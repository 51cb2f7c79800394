"""Text of any encoding that a file's mark or the settings name; a bad byte costs its row alone."""

from __future__ import annotations

import codecs
import gzip
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from conversion_platform.errors import PlatformError, SourceError
from conversion_platform.marketplace import EVENTS, REJECTED_USERS, USERS
from conversion_platform_tests.marketplace.world import World

TEXT = "user_id,region,shift\n1,Orléans,Café “noir”\n2,Köln,5 € bonus\n3,plain,plain\n"
ROWS = [
    ("1", "Orléans", "Café “noir”"),
    ("2", "Köln", "5 € bonus"),
    ("3", "plain", "plain"),
]


def _users(folder: Path, data: bytes, toml: str = "", name: str = "users.csv") -> World:
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return World(folder, f'[sources.users]\npath = "{name}"\n{toml}\n').fill()


@pytest.mark.parametrize("name", ["users.csv", "users.csv.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("written", "toml"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("cp1252", 'encoding = "cp1252"'),
        ("cp1252", 'encoding = "Windows-1252"'),
        ("utf-16-le", 'encoding = "utf-16-le"'),
        ("utf-16-be", 'encoding = "utf-16-be"'),
        ("utf-16", 'encoding = "utf-16"'),
        ("utf-8-sig", 'encoding = "utf-8-sig"'),
        ("utf-8-sig", 'encoding = "latin-1"'),
        ("utf-16", 'encoding = "latin-1"'),
    ],
)
def test_a_file_is_read_in_the_encoding_of_its_mark_or_of_the_settings(
    tmp_path: Path, name: str, end: str, written: str, toml: str
) -> None:
    data = TEXT.replace("\n", end).encode(written)
    built = _users(tmp_path, data, toml, name)
    loaded = built.load_users()
    assert (loaded.read_rows, loaded.rejects) == (3, {})
    assert built.rows(USERS, "user_id, region, shift") == ROWS


def test_a_big_endian_mark_is_one(tmp_path: Path) -> None:
    built = _users(tmp_path, codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"))
    assert built.load_users().rejects == {}
    assert built.rows(USERS, "user_id, region, shift") == ROWS


@pytest.mark.parametrize("encoding", ["latin-1", "iso-8859-1", "ISO8859-15"])
def test_latin_letters_are_read_as_the_settings_say(tmp_path: Path, encoding: str) -> None:
    data = "user_id,région\n1,Orléans\n2,Köln\n".encode("latin-1")
    toml = f'encoding = "{encoding}"\n[sources.users.columns]\nregion = "région"'
    built = _users(tmp_path, data, toml)
    assert built.load_users().rejects == {}
    assert built.rows(USERS, "user_id, region") == [("1", "Orléans"), ("2", "Köln")]


@pytest.mark.parametrize("encoding", ["shift_jis", "gbk", "big5"])
def test_letters_whose_bytes_look_like_marks_of_csv_are_letters(
    tmp_path: Path, encoding: str
) -> None:
    """A second byte may be a bar or a backslash there."""
    words = [word for word in ("表示", "功能", "十") if _fits(word, encoding)]
    rows = "".join(f"{place}|{word}\n" for place, word in enumerate(words))
    built = _users(tmp_path, f"user_id|region\n{rows}".encode(encoding), f'encoding = "{encoding}"')
    assert built.load_users().rejects == {}
    assert built.rows(USERS, "region", "user_id") == [(word,) for word in words]


def _fits(word: str, encoding: str) -> bool:
    try:
        word.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("quoted", [False, True])
def test_a_mark_before_a_quoted_name_is_no_part_of_it(tmp_path: Path, quoted: bool) -> None:
    head = '"user_id","region"' if quoted else "user_id,region"
    built = _users(tmp_path, f"\ufeff{head}\n1,a\n".encode())
    assert built.load_users().rejects == {}
    assert built.rows(USERS, "user_id, region") == [("1", "a")]


def test_files_of_different_marks_are_one_source(tmp_path: Path) -> None:
    for name, encoding in (("a", "utf-8"), ("b", "utf-8-sig"), ("c", "utf-16")):
        (tmp_path / f"{name}.csv").write_bytes(f"user_id,region\n{name},é{name}\n".encode(encoding))
    built = World(tmp_path, '[sources.users]\npath = "?.csv"\n').fill()
    assert built.load_users().rejects == {}
    assert built.rows(USERS, "user_id, region") == [("a", "éa"), ("b", "éb"), ("c", "éc")]


@pytest.mark.parametrize("name", ["users.csv", "users.csv.gz"])
def test_a_bad_byte_in_a_column_that_nothing_uses_costs_its_row_alone(
    tmp_path: Path, name: str
) -> None:
    lines = [b"user_id,region,notes"]
    lines += [f"{n},r{n},note {n}".encode() for n in range(1, 3001)]
    lines[1500] = b"1500,r1500,caf\xe9"
    lines[2000] = b",r2000,no id"
    lines[2500] = b"2500,r2500,\xff\xfe"
    built = _users(tmp_path, b"\n".join([*lines, b""]), 'attributes = ["notes"]', name)
    loaded = built.load_users()
    assert (loaded.read_rows, loaded.rejects) == (3000, {"broken_line": 2, "missing_id": 1})
    assert built.rows(REJECTED_USERS, "row_number, reason", "row_number") == [
        (1500, "broken_line"),
        (2000, "missing_id"),
        (2500, "broken_line"),
    ]
    ((row, detail),) = built.rows(REJECTED_USERS, "row_json, detail", "row_number LIMIT 1")
    assert json.loads(row)["line"] == "1500,r1500,caf\ufffd"
    assert detail == "It is not UTF-8."
    assert built.rows(USERS, "count(*), count(notes)", "1") == [(2997, 2997)]


def test_a_bad_byte_of_events_costs_its_row_alone(tmp_path: Path) -> None:
    data = (
        b"user_id,job_id,event_type,occurred_at,agent\n"
        b"1,10,click,2026-01-03T10:00:00Z,a\n"
        b"1,10,click,2026-01-03T11:00:00Z,\xe9\n"
        b"2,20,click,2026-01-03T12:00:00Z,b\n"
    )
    (tmp_path / "events.csv").write_bytes(data)
    built = World(tmp_path, '[sources.events]\npath = "events.csv"\n').fill()
    _, _, loaded = built.load()
    assert (loaded.rejects, loaded.accepted_rows) == ({"broken_line": 1}, 2)
    assert loaded.examples["broken_line"].row_number == 2
    assert built.rows(EVENTS, "user_id") == [("1",), ("2",)]


def test_a_byte_that_an_encoding_does_not_have_costs_its_row_alone(tmp_path: Path) -> None:
    data = b"user_id,region\n1,caf\xe9\n2,\x81\n3,\x80\n"
    built = _users(tmp_path, data, 'encoding = "cp1252"')
    assert built.load_users().rejects == {"broken_line": 1}
    assert built.rows(USERS, "user_id, region") == [("1", "café"), ("3", "€")]
    assert built.rows(REJECTED_USERS, "row_number, detail") == [(2, "It is not CP1252.")]


def test_a_file_of_another_encoding_says_which_setting_reads_it(tmp_path: Path) -> None:
    data = "user_id,région\n1,Orléans\n".encode("latin-1")
    with pytest.raises(SourceError, match=r"(?s)header of users\.csv.*sources\.users\.encoding"):
        _users(tmp_path, data).load_users()


def test_a_file_all_of_whose_rows_have_another_encoding_says_which_setting_reads_it(
    tmp_path: Path,
) -> None:
    data = "user_id,region\n1,Orléans\n2,Köln\n".encode("latin-1")
    with pytest.raises(
        SourceError, match=r"(?s)broken_line 2.*users\.csv row 1.*sources\.users\.encoding"
    ):
        _users(tmp_path, data).load_users()


def test_a_file_that_is_not_of_the_encoding_that_is_named_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"users\.csv.*sources\.users\.encoding"):
        _users(tmp_path, b"user_id\n1\n2\n3", 'encoding = "utf-16"').load_users()


def test_a_file_cut_in_the_middle_of_a_letter_is_no_whole_file(tmp_path: Path) -> None:
    data = TEXT.encode("utf-16")[:-1]
    with pytest.raises(SourceError, match=r"users\.csv.*encoding"):
        _users(tmp_path, data).load_users()


@pytest.mark.parametrize("encoding", ["latin-99", "", "klingon"])
def test_an_encoding_that_does_not_exist_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises((PlatformError, ValidationError), match="encoding"):
        _users(tmp_path, b"user_id\n1\n", f'encoding = "{encoding}"').load_users()


@pytest.mark.parametrize("encoding", ["base64", "rot13", "zlib"])
def test_a_codec_that_is_no_encoding_of_text_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises((PlatformError, ValidationError), match="encoding"):
        _users(tmp_path, b"user_id\n1\n", f'encoding = "{encoding}"').load_users()
