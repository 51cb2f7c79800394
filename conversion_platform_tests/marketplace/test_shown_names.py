"""Messages show names of columns, and never the first row of an export without its header."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conversion_platform.errors import SourceError
from conversion_platform_tests.marketplace.world import World

PERSON = ["u0000", "2026-01-01T05:00:00Z", "+12122000200", "NY", "15", "I agree", "Bob Secret"]


def _refused(folder: Path, header: list[str], setting: str = "") -> str:
    (folder / "users.csv").write_text(f"{','.join(header)}\n{','.join(PERSON[: len(header)])}\n")
    built = World(folder, f'[sources.users]\npath = "users.csv"\n{setting}').fill()
    with pytest.raises(SourceError) as raised:
        built.load_users()
    return str(raised.value)


@pytest.mark.parametrize("setting", ["", 'columns = { user_id = "u000" }'])
def test_an_export_without_its_header_shows_nothing_of_a_person(
    tmp_path: Path, setting: str
) -> None:
    message = _refused(tmp_path, PERSON, setting)
    assert "has the source a header?" in message
    assert not [cell for cell in PERSON if cell in message]


@pytest.mark.parametrize(
    "cell",
    [
        *("212 555 0100", "(212) 555-0100", "+12125550100", "ann@example.org", "2026-01-31"),
        *("01/31/2026", "9:30", "12.5", "$16/hr", "u0042", "https://example.org/ann"),
        "She can start on Monday and has a car",
    ],
)
def test_a_name_that_looks_like_a_value_is_not_shown(tmp_path: Path, cell: str) -> None:
    names = ["Applicant", "Desired Pay", "Shift 1", "Years", "Skills"]
    message = _refused(tmp_path, [*names, cell], f'columns = {{ user_id = "{cell}x" }}')
    assert ", ".join(names) in message
    assert cell not in message.replace(f"{cell}x", "")


def test_names_of_an_ordinary_header_are_shown(tmp_path: Path) -> None:
    names = ["Applicant", "address_2", "Q3", "401k", "Район", "pay ($)", "column_7"]
    assert ", ".join(names) in _refused(tmp_path, names)


def test_a_setting_that_lists_no_column_shows_no_value_either(tmp_path: Path) -> None:
    names = ["user_id", "years", "Ann Smith, 12", "ann@example.org", "+12125550100"]
    message = _refused(tmp_path, [n.replace(",", "") for n in names], 'attributes = ["ann"]')
    assert "`ann`" in message
    assert "example" not in message
    assert "2125550100" not in message


def _listed(folder: Path, *lines: str, setting: str = "") -> str:
    """What a message says of a file that has no column `user_id`."""
    folder.mkdir(exist_ok=True)
    (folder / "users.csv").write_text("".join(f"{line}\n" for line in lines))
    built = World(folder, f'[sources.users]\npath = "users.csv"\n{setting}').fill()
    with pytest.raises(SourceError) as raised:
        built.load_users()
    return str(raised.value)


@pytest.mark.parametrize(
    "lines",
    [
        ("u0000000,Zqanna,Schmidtzq,Bostonzq,Zqstreet", "u0000001,Bob,Meier,Salem,Elm"),
        ("Zqanna,Schmidtzq,Bostonzq,yes", "Bob,Meier,Salem,no", "Eve,Shaw,Lynn,yes"),
        ("Zqanna,Schmidtzq,Bostonzq,yes", "Bob,Meier,Salem,no"),
        ("Zqanna,Schmidtzq,Bostonzq,yes",),
        ("Zqanna,Schmidtzq,by agreement,Bostonzq", "Bob,Meier,15,Salem", "Eve,Shaw,16,Lynn"),
        ("Zqanna,Schmidtzq,-,unknown", "Bob,Meier,15,2026-01-01", "Eve,Shaw,16,2026-01-02"),
        (
            "a1b2-c3d4,Zqanna,never,much",
            "9f8e-7d6c,Bob,2026-01-01,15",
            "11ff-22aa,Eve,2026-01-01,9",
        ),
        ("Zqanna,Schmidtzq,phone,Bostonzq", "Bob,Meier,web,Salem"),
        ("us-7,Zqanna,Schmidtzq,Bostonzq,15", "us-8,Bob,Meier,Salem,16"),
    ],
)
def test_a_first_line_that_nothing_shows_to_be_a_header_is_not_shown(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    message = _listed(tmp_path, *lines)
    assert "the header of users.csv may be a row. If it is one, add a line" in message
    assert not [cell for cell in lines[0].split(",") if re.search(rf"\b{cell}\b", message)]


@pytest.mark.parametrize(
    "lines",
    [
        ("kandidat_nr,vorname,eintritt", "k001,Anna,2026-01-01", "k002,Bob,2026-01-02"),
        ("Wer,Wann,Lohn,Ort", "7,,15,Berlin", "8,2026-01-02,16,Bonn"),
        ("kandidat,created_at,ort",),
        ("usr_id,vorname2,ort", "a,b,c"),
        ("kandidat,phone,ort", "a1,+1 212 555 0100,Bonn"),
    ],
)
def test_a_header_of_unusual_names_is_shown(tmp_path: Path, lines: tuple[str, ...]) -> None:
    assert f"Columns of the source: {', '.join(lines[0].split(','))}." in _listed(tmp_path, *lines)


def test_a_header_with_a_mapped_name_is_shown(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text("Stelle,Ort\nKoch,Bonn\n")
    with pytest.raises(SourceError, match=r"Columns of the source: Stelle, Ort\."):
        World(
            tmp_path,
            '[sources.jobs]\npath = "jobs.csv"\ncolumns = { title = "Stelle" }\n',
        ).fill().load_jobs()


def test_names_that_another_file_has_in_a_header_are_shown(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.csv").write_text("nr,vorname,eintritt\n1,Bob,2026-01-01\n")
    (tmp_path / "in/b.csv").write_text("nr,vorname,eintritt\n")
    (tmp_path / "in/c.csv").write_text("2,Zqanna,Bostonzq\n")
    with pytest.raises(SourceError) as raised:
        World(tmp_path, '[sources.users]\npath = "in"\n').fill().load_users()
    message = str(raised.value)
    assert "Columns of the source: nr, vorname, eintritt (" in message
    assert "3 not shown: the header of in/c.csv may be a row" in message
    assert "zq" not in message.lower()


def test_the_names_of_an_input_that_may_be_a_row_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Zqanna,Schmidtzq,Bostonzq\nBob,Meier,Salem\n")
    toml = '[inputs.people]\npath = "people.csv"\n[sources.users]\nsql = "SELECT {} FROM people"\n'
    with pytest.raises(SourceError) as raised:
        World(tmp_path, toml.format("*")).fill().load_users()
    assert "zq" not in str(raised.value).lower()
    with pytest.raises(SourceError, match=r"Columns of the source: Zqanna\."):
        World(tmp_path, toml.format("Zqanna")).fill().load_users()
