"""`check-sources` proposes the setting that reads what cannot be read, and the setting reads it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from conversion_platform.errors import SourceError
from conversion_platform.marketplace import USERS, check_sources, render
from conversion_platform_tests.marketplace import world
from conversion_platform_tests.marketplace.world import World


def _built(folder: Path, content: str | bytes, *settings: str) -> World:
    toml = "\n".join(['[sources.users]\npath = "users.csv"', *settings]) + "\n"
    built = World(folder, toml).fill()
    data = content if isinstance(content, bytes) else content.encode()
    (folder / "users.csv").write_bytes(data)
    return built


def _proposed(built: World) -> tuple[str, ...]:
    return check_sources(built.settings).proposals


def _setting(proposal: str) -> str:
    """The line to add to [sources.users]."""
    key, _, rest = proposal.partition("sources.users.")[2].partition(" = ")
    end = rest.index("]") + 1 if rest.startswith("[") else rest.index('"', 1) + 1
    return f"{key} = {rest[:end]}"


@pytest.mark.parametrize(
    ("texts", "key", "value"),
    [
        (["12/31/2026 10:00 PM", "01/02/2026 01:00 AM"], "date_format", "%m/%d/%Y %I:%M %p"),
        (["12/31/2026 10:00PM", "01/02/2026 01:00AM"], "date_format", "%m/%d/%Y %I:%M%p"),
        (["2026-01-02 10:00 PM", "2026-02-03 1:00 AM"], "date_format", "%Y-%m-%d %I:%M %p"),
        (["31/12/2026 22:00", "02/01/2026 01:00"], "date_format", "%d/%m/%Y %H:%M"),
        (["31.12.2026", "02.01.2026"], "date_format", "%d.%m.%Y"),
        (["12/31/2026", "12/31/2026 22:00"], "date_format", ["%m/%d/%Y", "%m/%d/%Y %H:%M"]),
        (["2026-01-03 10:00"], "time_zone", "America/New_York"),
        (["12/31/26", "01/02/26"], "date_format", "%m/%d/%y"),
        (["31.12.26", "02.01.26"], "date_format", "%d.%m.%y"),
        (["12/31/26 10:00 PM"], "date_format", "%m/%d/%y %I:%M %p"),
    ],
)
def test_a_time_that_cannot_be_read_proposes_what_reads_it(
    tmp_path: Path, texts: list[str], key: str, value: Any
) -> None:
    rows = "".join(f"{place},{text}\n" for place, text in enumerate(texts))
    built = _built(tmp_path, f"user_id,consent_at\n{rows}")
    (proposal,) = _proposed(built)
    assert "consent_at" in proposal
    line = _setting(proposal)
    found = tomllib.loads(line)[key]
    assert (sorted(found) if isinstance(found, list) else found) == value
    again = _built(tmp_path, f"user_id,consent_at\n{rows}", line, 'time_zone = "UTC"')
    if key == "time_zone":
        again = _built(tmp_path, f"user_id,consent_at\n{rows}", line)
    assert again.load_users().unread == ()


@pytest.mark.parametrize(
    ("texts", "month", "day", "words"),
    [
        (["03/04/2026", "05/06/2026"], "%m/%d/%Y", "%d/%m/%Y", "MM/DD/YYYY and DD/MM/YYYY"),
        (["03-04-26 10:00"], "%m-%d-%y %H:%M", "%d-%m-%y %H:%M", "MM-DD-YY hh:mm and DD-MM-YY"),
    ],
)
def test_a_date_that_both_orders_of_month_and_day_fit_asks_which_and_names_both_settings(
    tmp_path: Path, texts: list[str], month: str, day: str, words: str
) -> None:
    rows = "".join(f"{place},{text}\n" for place, text in enumerate(texts))
    (proposal,) = _proposed(_built(tmp_path, f"user_id,consent_at\n{rows}"))
    assert words in proposal
    assert "both fit every text" in proposal
    assert f'month comes first: sources.users.date_format = "{month}".' in proposal
    assert f'day does: sources.users.date_format = "{day}". Which is it?' in proposal
    for written in (month, day):
        line = f'date_format = "{written}"\ntime_zone = "UTC"'
        assert _built(tmp_path, f"user_id,consent_at\n{rows}", line).load_users().unread == ()


def test_a_date_with_both_orders_in_several_formats_names_both_lists(tmp_path: Path) -> None:
    content = "user_id,consent_at\n1,03/04/2026\n2,05/06/2026 10:00\n"
    (proposal,) = _proposed(_built(tmp_path, content))
    assert 'date_format = ["%m/%d/%Y", "%m/%d/%Y %H:%M"]' in proposal
    assert 'date_format = ["%d/%m/%Y", "%d/%m/%Y %H:%M"]' in proposal


@pytest.mark.parametrize("text", ["03-Apr-2026", "20260304"])
def test_a_date_that_nobody_writes_in_another_order_asks_nothing(tmp_path: Path, text: str) -> None:
    (proposal,) = _proposed(_built(tmp_path, f"user_id,consent_at\n1,{text}\n"))
    assert "consent_at looks like" in proposal
    assert "Which" not in proposal


SERIALS = {
    "days": ["46023", "46055"],
    "moments": ["46023.5", "45292.25"],
    "days among texts": ["46023", "12/31/2026"],
}


@pytest.mark.parametrize("what", SERIALS)
def test_serial_numbers_of_a_spreadsheet_are_told_as_such(tmp_path: Path, what: str) -> None:
    rows = "".join(f"{place},{text}\n" for place, text in enumerate(SERIALS[what]))
    told, *formats = _proposed(_built(tmp_path, f"user_id,consent_at\n{rows}"))
    assert "consent_at looks like serial numbers of a spreadsheet" in told
    assert "export dates as text" in told
    assert [_setting(one) for one in formats] == (
        ['date_format = "%m/%d/%Y"'] if what == "days among texts" else []
    )


@pytest.mark.parametrize("kind", ["BIGINT", "DOUBLE", "VARCHAR"])
def test_serial_numbers_in_place_of_the_time_of_events_are_told_though_each_row_is_rejected(
    tmp_path: Path, kind: str
) -> None:
    rows = world.EVENTS.replace("SELECT *", f"SELECT * REPLACE (46023::{kind} AS occurred_at)")
    report = check_sources(World(tmp_path).fill(events=rows).settings)
    assert report.sources[2].rejects == {"not_a_time": 3}
    (told,) = report.proposals
    assert "occurred_at looks like serial numbers" in told


@pytest.mark.parametrize("text", ["1767225600", "20260104x", "90210", "29999"])
def test_other_numbers_are_not_told_as_those_of_a_spreadsheet(tmp_path: Path, text: str) -> None:
    content = f"user_id,consent_at\n1,{text}\n2,46023\n"
    proposed = _proposed(_built(tmp_path, content))
    assert any("serial numbers" in one for one in proposed) == (text == "20260104x")


def test_texts_that_no_format_reads_propose_nothing(tmp_path: Path) -> None:
    assert _proposed(_built(tmp_path, "user_id,consent_at\n1,soon\n2,12/31/2026\n")) == ()


def test_a_decimal_comma_is_proposed_where_it_reads_every_cell(tmp_path: Path) -> None:
    content = 'user_id,desired_pay\n1,"16,50"\n2,"1.200,5"\n'
    (proposal,) = _proposed(_built(tmp_path, content))
    line = _setting(proposal)
    assert line == 'decimal = ","'
    assert _built(tmp_path, content, line).load_users().unread == ()


@pytest.mark.parametrize(
    ("texts", "given", "line"),
    [
        (["1.200.500", "1.200"], "", 'decimal = ","'),
        (["1,200,500", "16.50"], 'decimal = ","', 'decimal = "."'),
        (["1,200", "16.50"], """thousands = "'\"""", 'thousands = ","'),
    ],
)
def test_the_marks_of_numbers_are_proposed_where_they_read_every_cell(
    tmp_path: Path, texts: list[str], given: str, line: str
) -> None:
    content = "user_id;desired_pay\n" + "".join(f"{i};{text}\n" for i, text in enumerate(texts))
    (proposal,) = _proposed(_built(tmp_path, content, given))
    assert f"sources.users.{line}" in proposal
    kept = given if given and not line.startswith(given.partition(" ")[0]) else ""
    assert _built(tmp_path, content, kept, line).load_users().unread == ()


def test_marks_that_would_lose_a_number_of_another_column_are_not_proposed(tmp_path: Path) -> None:
    assert _proposed(_built(tmp_path, 'user_id,desired_pay,latitude\n1,"16,50",40.7\n')) == ()


def test_words_for_a_missing_value_are_proposed_as_such(tmp_path: Path) -> None:
    content = (
        "user_id,consent_at,desired_pay,time_zone\n1,unknown,-,n/k\n2,12/31/2026,16,UTC\n"
        '3,01/02/2026,"16,50",--\n4,Not Provided,-,Maria Garcia\n'
    )
    built = _built(tmp_path, content)
    proposed = _proposed(built)
    (missing,) = (one for one in proposed if "null_values" in one)
    assert "Maria" not in missing
    line = missing.partition("sources.users.")[2].rstrip(".")
    found = tomllib.loads(line)["null_values"]
    assert found == [
        *built.settings.sources.users.null_values,
        "-",
        "--",
        "Not Provided",
        "unknown",
    ]
    formats = next(one for one in proposed if "date_format" in one)
    decimal = next(one for one in proposed if "decimal" in one)
    again = _built(
        tmp_path, content, line, _setting(formats), _setting(decimal), 'time_zone = "UTC"'
    )
    unread = {(cell.column, cell.rows) for cell in again.load_users().unread}
    assert unread == {("time_zone", 2)}


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMP_NS", "DATE"])
def test_parquet_times_without_a_zone_propose_one(tmp_path: Path, kind: str) -> None:
    built = World(tmp_path).fill(
        users=f"SELECT 1 AS user_id, CAST('2026-01-01' AS {kind}) AS created_at",
        events="SELECT 1 AS user_id, 10 AS job_id, 'impression' AS event_type, "
        f"CAST('2026-01-02' AS {kind}) AS occurred_at",
    )
    proposed = _proposed(built)
    for part in ("created_at", "occurred_at"):
        assert any(part in one and "time_zone = " in one for one in proposed), proposed


@pytest.mark.parametrize(
    ("start", "proposed"),
    [
        (b"", 'sources.users.encoding = "latin-1"'),
        (b"\xef\xbb\xbf", "counts for more than sources.users.encoding: export the file again"),
    ],
)
def test_a_file_with_a_mark_of_its_encoding_proposes_what_helps(
    tmp_path: Path, start: bytes, proposed: str
) -> None:
    content = start + "user_id,region\n1,Orléans\n2,Paris\n".encode("latin-1")
    (proposal,) = _proposed(_built(tmp_path, content))
    assert proposed in proposal


def test_the_encoding_of_an_input_is_proposed_for_the_input(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes("id,place\n1,Orléans\n2,Paris\n".encode("latin-1"))
    sql = '[sources.users]\nsql = "SELECT id AS user_id FROM people"\n'
    toml = '[inputs.people]\npath = "people.csv"\n'
    (proposal,) = World(tmp_path, toml + sql).fill().load_users().proposals
    assert 'inputs.people.encoding = "latin-1"' in proposal
    again = World(tmp_path, f'{toml}encoding = "latin-1"\n{sql}').load_users()
    assert (again.rejects, again.proposals) == ({}, ())


def test_how_values_are_written_counts_for_the_result_of_sql(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id;seen;pay\n1;12/31/2026;16,50\n2;unknown;17\n")
    toml = (
        '[inputs.people]\npath = "people.csv"\n[sources.users]\ntime_zone = "UTC"\ndecimal = ","\n'
        'date_format = "%m/%d/%Y"\nnull_values = ["unknown"]\n'
        'sql = "SELECT id AS user_id, seen AS consent_at, pay AS desired_pay FROM people"\n'
    )
    assert World(tmp_path, toml).fill().load_users().unread == ()


def test_lines_that_are_not_utf_8_propose_an_encoding_that_reads_them(tmp_path: Path) -> None:
    content = "user_id,region\n1,Orléans\n2,Paris\n".encode("latin-1")
    built = _built(tmp_path, content)
    (proposal,) = _proposed(built)
    again = _built(tmp_path, content, _setting(proposal))
    assert again.load_users().rejects == {}


@pytest.mark.parametrize(
    ("words", "proposed", "read"),
    [
        (b"5 \x80 a day|caf\xe9", "cp1252", ["5 € a day", "café"]),
        (b"\x93Chez Ren\xe9\x94|a \x96 b", "cp1252", ["“Chez René”", "a \u2013 b"]),
        (b"caf\xe9|K\xf6ln", "latin-1", ["café", "Köln"]),
        (b"5 \x80|\x81", "latin-1", ["5 \x80", "\x81"]),
    ],
)
def test_signs_that_windows_alone_prints_propose_its_encoding(
    tmp_path: Path, words: bytes, proposed: str, read: list[str]
) -> None:
    content = b"user_id,region\n1,plain\n" + b"".join(
        b"%d,%s\n" % (place, word) for place, word in enumerate(words.split(b"|"), start=2)
    )
    (proposal,) = _proposed(_built(tmp_path, content))
    assert _setting(proposal) == f'encoding = "{proposed}"'
    again = _built(tmp_path, content, _setting(proposal))
    assert again.load_users().rejects == {}
    assert [region for (region,) in again.rows(USERS, "region", "user_id")] == ["plain", *read]


def test_a_header_with_signs_that_windows_alone_prints_proposes_its_encoding(
    tmp_path: Path,
) -> None:
    with pytest.raises(SourceError, match=r'encoding = "cp1252"'):
        _built(tmp_path, b"user_id,pay in \x80\n1,5\n").load_users()


def test_a_source_of_which_no_row_can_be_read_says_what_to_set(tmp_path: Path) -> None:
    content = "user_id,region\n1,Orléans\n".encode("latin-1")
    with pytest.raises(SourceError) as caught:
        _built(tmp_path, content).load_users()
    assert 'sources.users.encoding = "latin-1"' in caught.value.remedy


def test_the_screen_shows_the_settings_and_no_value(tmp_path: Path) -> None:
    screen = render(
        check_sources(_built(tmp_path, "user_id,phone,consent_at\n1,5,12/31/2026\n").settings)
    )
    assert "Settings" in screen
    assert "date_format" in screen
