"""Messages show names of columns, and never the first row of an export without its header."""

from __future__ import annotations

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
