"""How texts are read as numbers, times and ids, as the settings of their source say."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversion_platform.marketplace import (
    ATTRIBUTES,
    EVENTS,
    JOBS,
    REJECTED_EVENTS,
    REJECTED_EVENTS_UNDATED,
    REJECTED_USERS,
    USERS,
    Loaded,
)
from conversion_platform_tests.marketplace import world
from conversion_platform_tests.marketplace.world import World
from conversion_platform_tests.servers import PostgresServer

TEN = datetime(2026, 7, 5, 10, tzinfo=UTC)


def _source(folder: Path, name: str, columns: Mapping[str, Sequence[str]], toml: str = "") -> World:
    """A source of texts: one row for each place in the columns."""
    rows = zip(*columns.values(), strict=True)
    literals = [
        {
            column: "'" + value.replace("'", "''") + "'"
            for column, value in zip(columns, row, strict=True)
        }
        for row in rows
    ]
    query = world.values(list(columns), literals)
    place = "source/events" if name == "events" else f"source/{name}.parquet"
    built = World(folder, f'[sources.{name}]\npath = "{place}"\n{toml}\n')
    return built.fill(**{name: query})


def _users(folder: Path, column: str, texts: Sequence[str], toml: str = "") -> World:
    """Users of whom each has one text; their ids are places in the list."""
    ids = [f"{place:04d}" for place in range(len(texts))]
    return _source(folder, "users", {"user_id": ids, column: texts}, toml)


def _read(built: World, column: str, texts: Sequence[str]) -> tuple[dict[str, object], Loaded]:
    """Value by text, and what was loaded."""
    loaded = built.load_users()
    found = [value for (value,) in built.rows(USERS, column, "user_id")]
    return dict(zip(texts, found, strict=True)), loaded


def _unread(loaded: Loaded) -> list[tuple[str, str, int]]:
    return [(one.column, one.reason, one.rows) for one in loaded.unread]


def _check_numbers(
    folder: Path, expected: Mapping[str, float], unread: Sequence[str], toml: str = ""
) -> None:
    """Check what is read, and that all others are missing and counted."""
    texts = [*expected, *unread]
    found, loaded = _read(_users(folder, "desired_pay", texts, toml), "desired_pay", texts)
    assert found == {**expected, **dict.fromkeys(unread)}
    assert loaded.rejects == {}
    counted = [("desired_pay", "not_a_number", len(unread))] if unread else []
    assert _unread(loaded) == counted


def test_a_number_is_read_with_its_currency_its_unit_and_its_groups(tmp_path: Path) -> None:
    expected = {
        "16": 16,
        "16.": 16,
        ".5": 0.5,
        "16.50": 16.5,
        "+16": 16,
        "1e3": 1000,
        "$16/hr": 16,
        "$16": 16,
        "$ 16.25": 16.25,
        "US$16": 16,
        "$16 per hour": 16,
        "$16 an hour": 16,
        "16 USD": 16,
        "16 USD/h": 16,
        "USD 1,200.50": 1200.5,
        "1,200 USD": 1200,
        "1,200,300": 1200300,
        "1 200": 1200,
        "1\u00a0200": 1200,
        "1\u202f200 $": 1200,
        "1'200.5": 1200.5,
        "1\u2019200": 1200,
        "\u00a0$16\u200b": 16,
    }
    _check_numbers(tmp_path, expected, [])


def test_what_is_no_number_is_missing_and_never_another_number(tmp_path: Path) -> None:
    texts = [
        *("16k", "1.5M", "1_8", "1_000", "1,5", "1,20", "12,34", "1,2000", "1.200,5", "1.2.3"),
        *("0x10", "1 2", "--5", "16-18", "$16 - $18", "$", "hr", "five", "16 17"),
        *("e5", "1e400", "inf", "-inf", "Infinity", "\u0661\u0666", "16;", "(16)", "16%$"),
    ]
    _check_numbers(tmp_path, {"20": 20}, texts)


def test_a_multiplier_is_no_unit_that_the_other_cells_must_have(tmp_path: Path) -> None:
    _check_numbers(tmp_path, {"$16/hr": 16.0}, ["16k", "17k", "1.5M"])


def test_a_cell_of_another_currency_or_unit_than_its_column_is_missing(tmp_path: Path) -> None:
    expected = {"$16/hr": 16.0, "$17 per hour": 17.0, "18 USD/h": 18.0, "19": 19.0, "20/hr": 20.0}
    unread = ["$900/week", "€16/hr", "£16", "40000 a year", "16 days"]
    _check_numbers(tmp_path, expected, unread)


def test_the_unit_of_a_column_is_its_commonest_whatever_it_is(tmp_path: Path) -> None:
    _check_numbers(
        tmp_path, {"€900/week": 900.0, "950 € a week": 950.0, "900 EUR weekly": 900.0}, ["$16/hr"]
    )


def test_a_unit_that_hardly_any_number_names_is_not_that_of_the_column(tmp_path: Path) -> None:
    bare = {str(number): float(number) for number in range(12, 22)}
    _check_numbers(tmp_path, {**bare, "$18.50": 18.5}, ["$33000/yr"])


def test_what_only_looks_like_a_number_does_not_decide_on_the_unit_of_its_column(
    tmp_path: Path,
) -> None:
    """The unit of one in ten numbers is that of the column; `--5` is no number."""
    bare = {f"1{digit}": 10.0 + digit for digit in range(9)}
    _check_numbers(tmp_path, {**bare, "$18.50/hr": 18.5}, ["--5", "-€-5", "-€-6"])


def test_a_decimal_comma_is_a_setting(tmp_path: Path) -> None:
    expected = {
        "1,5": 1.5,
        "16": 16,
        "1.200,50": 1200.5,
        "1.200": 1200,
        "1 200,5": 1200.5,
        "16,50 €": 16.5,
        "€ 1.200,50": 1200.5,
        ",5": 0.5,
        "1e3": 1000,
    }
    unread = ["1.5", "16.50", "1,200,300", "1,2,3", "1,200.5"]
    _check_numbers(tmp_path, expected, unread, 'decimal = ","')


def test_what_groups_digits_is_a_setting(tmp_path: Path) -> None:
    expected = {"1'200": 1200.0, "1'200'300.5": 1200300.5, "1 200": 1200.0}
    _check_numbers(tmp_path, expected, ["1,200", "1'20", "'200"], 'thousands = "\'"')


def test_a_count_is_whole(tmp_path: Path) -> None:
    texts = {"1,000": 1000, "3": 3, "3.0": 3, "3.5": None, "1_0": None, "12 people": 12}
    ids = [f"{place}" for place in range(len(texts))]
    built = _source(tmp_path, "jobs", {"job_id": ids, "openings": list(texts)})
    assert _unread(built.load_jobs()) == [("openings", "not_a_number", 2)]
    found = built.rows(JOBS, "openings, unread_columns", "job_id")
    assert found == [(n, None if n else "openings") for n in texts.values()]


def test_a_further_column_of_numbers_is_read_by_the_same_rules(tmp_path: Path) -> None:
    columns = {
        "user_id": ["1", "2"],
        "wage": ["$16/hr", "$1,200 per hour"],
        "grouped": ["1_000", "2_000"],
        "mixed": ["$16/hr", "$900/week"],
        "short": ["16k", "18k"],
    }
    built = _source(tmp_path, "users", columns)
    built.attributes()
    assert built.rows(ATTRIBUTES, "column_name, kind", "column_name") == [
        ("grouped", "categorical"),
        ("mixed", "categorical"),
        ("short", "categorical"),
        ("wage", "numeric"),
    ]
    assert built.rows(USERS, "wage") == [(16.0,), (1200.0,)]


@settings(max_examples=12, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 10**12), min_size=1, max_size=20, unique=True),
    places=st.integers(0, 3),
    group=st.sampled_from(["", ",", " ", "'", "\u00a0", "\u202f", "\u2019"]),
    currency=st.sampled_from(["", "$", "€", "£", "USD", "CHF"]),
    before=st.booleans(),
    gap=st.sampled_from(["", " "]),
    unit=st.sampled_from(["", "/hr", " per hour", " an hour", "/h", "/week", " a year"]),
)
def test_a_number_in_any_notation_is_read_back(
    numbers: list[int], places: int, group: str, currency: str, before: bool, gap: str, unit: str
) -> None:
    written = {}
    for number in numbers:
        digits = f"{number / 10**places:,.{places}f}".replace(",", group)
        amount = f"{currency}{gap}{digits}" if before else f"{digits}{gap}{currency}"
        written[f"{amount.strip()}{unit}"] = round(number / 10**places, places)
    with tempfile.TemporaryDirectory() as folder:
        texts = list(written)
        built = _users(Path(folder), "desired_pay", texts)
        found, loaded = _read(built, "desired_pay", texts)
    assert found == written
    assert loaded.unread == ()


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-07-05 10:00:00 UTC", 10),
        ("2026-07-05 10:00:00 GMT", 10),
        ("2026-07-05 10:00:00 UT", 10),
        ("2026-07-05T10:00:00z", 10),
        ("2026-07-05 10:00Z", 10),
        ("2026/07/05 10:00:00Z", 10),
        ("2026-7-5 10:00:00Z", 10),
        ("2026-07-05T10:00:00.123456789Z", 10),
        ("2026-07-05 10:00:00+14:00", -4),
        ("2026-07-05 10:00:00+1400", -4),
        ("2026-07-05 10:00:00-12:00", 22),
        ("2026-07-05 10:00:00+05:45", 4.25),
        ("2026-07-05 10:00:00-03:30", 13.5),
        ("2026-07-05 10:00:00+05", 5),
        ("2026-07-05 10:00:00 Europe/London", 10),
        ("2026-07-05 10:00:00 America/Argentina/Buenos_Aires", 13),
    ],
)
def test_an_instant_is_read_as_it_is(tmp_path: Path, text: str, hour: float) -> None:
    """Of the event, so that a misread one would be on another day or rejected."""
    columns = {
        "user_id": ["1"],
        "job_id": ["10"],
        "event_type": ["click"],
        "occurred_at": [
            text.replace("2026-07-05", "2026-01-03")
            .replace("2026-7-5", "2026-1-3")
            .replace("/07/05", "/01/03")
        ],
    }
    built = _source(tmp_path, "events", columns)
    _, _, loaded = built.load()
    assert loaded.rejects == {}
    expected = datetime(2026, 1, 3, tzinfo=UTC) + timedelta(hours=hour)
    ((found,),) = built.rows(EVENTS, "date_trunc('second', occurred_at)")
    assert found == expected


def _refused(folder: Path, texts: Sequence[str], toml: str = "") -> dict[str, str]:
    """Reason by the time that an event is rejected for."""
    count = len(texts)
    columns = {
        "user_id": ["1"] * (count + 1),
        "job_id": ["10"] * (count + 1),
        "event_type": ["click"] * (count + 1),
        "occurred_at": [*texts, "2026-01-03T23:00:00Z"],
    }
    built = _source(folder, "events", columns, toml)
    built.load()
    rows = [
        *built.rows(REJECTED_EVENTS, "row_json, reason, column_name"),
        *built.rows(REJECTED_EVENTS_UNDATED, "row_json, reason, column_name"),
    ]
    assert {column for _, _, column in rows} <= {"occurred_at"}
    return {json.loads(row)["occurred_at"]: reason for row, reason, _ in rows}


@pytest.mark.parametrize("toml", ["", 'time_zone = "America/New_York"'])
def test_a_zone_of_letters_that_several_places_use_is_refused(tmp_path: Path, toml: str) -> None:
    zones = ["BST", "AST", "IST", "EST", "EDT", "PDT", "CEST", "CST", "MST", "bst", "NZ", "Foo"]
    texts = [f"2026-01-03 10:00:00 {zone}" for zone in zones]
    texts += ["2026-01-03T10:00:00EST", "2026-01-03T10:00:00 NZ", "2026-01-03 10:00:00.5 PST"]
    assert _refused(tmp_path, texts, toml) == dict.fromkeys(texts, "ambiguous_time_zone")


@pytest.mark.parametrize("toml", ["", 'time_zone = "America/New_York"'])
def test_an_offset_beyond_14_hours_is_no_time(tmp_path: Path, toml: str) -> None:
    offsets = ["+99", "+05:99", "+15:00", "+14:30", "+14:01", "-15", "-9900", "+0560", "+24:00"]
    texts = [f"2026-01-03 10:00:00{offset}" for offset in offsets]
    assert _refused(tmp_path, texts, toml) == dict.fromkeys(texts, "not_a_time")


@pytest.mark.parametrize("toml", ["", 'time_zone = "America/New_York"'])
def test_what_does_not_begin_with_the_year_is_no_time_unless_a_format_says_so(
    tmp_path: Path, toml: str
) -> None:
    texts = [
        *("01/03/2026 10:00:00Z", "03.01.2026 10:00Z", "1/3/26", "10-12-14", "3 Jan 2026 10:00Z"),
        *("2026-02-30T10:00:00Z", "2026-13-01T00:00:00Z", "2026-01-03T25:00:00Z", "yesterday"),
        *("1767434400", "20260103", "2026-01-03T10:00:00Zulu Z", "26-01-03 10:00:00Z", "46025.4"),
    ]
    assert set(_refused(tmp_path, texts, toml).items()) == {(text, "not_a_time") for text in texts}


def test_every_row_with_a_time_of_another_format_is_shown_and_read_by_the_setting(
    tmp_path: Path,
) -> None:
    columns = {
        "user_id": ["1", "2"],
        "job_id": ["10", "20"],
        "event_type": ["click", "click"],
        "occurred_at": ["01/03/2026 10:15 AM", "1/3/2026 3:30 PM"],
    }
    zone = 'time_zone = "America/New_York"\n'
    built = _source(tmp_path, "events", columns, zone)
    _, _, loaded = built.load()
    assert loaded.rejects == {"not_a_time": 2}
    example = loaded.examples["not_a_time"]
    assert (example.column, example.row_number) == ("occurred_at", 1)
    assert example.detail == "01/03/2026 10:15 AM"
    built = _source(tmp_path, "events", columns, f'{zone}date_format = "%m/%d/%Y %I:%M %p"\n')
    _, _, loaded = built.load()
    assert loaded.rejects == {}
    assert built.rows(EVENTS, "occurred_at", "user_id") == [
        (datetime(2026, 1, 3, 15, 15, tzinfo=UTC),),
        (datetime(2026, 1, 3, 20, 30, tzinfo=UTC),),
    ]


def test_formats_may_be_several_and_days_may_come_first(tmp_path: Path) -> None:
    texts = {
        "05.07.2026 12:00": TEN,
        "5/7/2026": datetime(2026, 7, 4, 22, tzinfo=UTC),
        "2026-07-05 12:00:00": TEN,
        "2026-07-05T10:00:00Z": TEN,
        "05.07.2026 10:00 UTC": TEN,
        "05.07.2026 12:00+02:00": TEN,
        "05.07.2026 12:00 Europe/Berlin": TEN,
        "13/13/2026": None,
        "05.07.2026 12:00 CEST": None,
    }
    toml = 'date_format = ["%d.%m.%Y %H:%M", "%d/%m/%Y"]\ntime_zone = "Europe/Berlin"'
    found, loaded = _read(
        _users(tmp_path, "consent_at", list(texts), toml), "consent_at", list(texts)
    )
    assert found == texts
    assert sorted(_unread(loaded)) == [
        ("consent_at", "ambiguous_time_zone", 1),
        ("consent_at", "not_a_time", 1),
    ]


def test_a_word_behind_a_time_that_begins_with_the_year_is_never_overlooked(tmp_path: Path) -> None:
    """A cast to a timestamp would read 10:00 PM as ten in the morning."""
    texts = ["2026-07-05 10:00 PM", "2026-07-05 10:00:00 p.m.", "2026-07-05 10:00 PM UTC"]
    assert _refused(tmp_path, texts, "") == dict.fromkeys(texts, "not_a_time")


def test_a_format_may_begin_with_the_year(tmp_path: Path) -> None:
    texts = {
        "2026-07-05 10:00 AM UTC": TEN,
        "2026-07-05 10:00 PM UTC": TEN + timedelta(hours=12),
        "2026/05/07 10:00 UTC": TEN,
        "2026-07-05 10:00:00Z": TEN,
        "2026-07-05T10:00:00Z": TEN,
    }
    toml = 'date_format = ["%d.%m.%Y", "%Y-%m-%d %I:%M %p", "%Y/%d/%m %H:%M"]'
    built = _users(tmp_path, "consent_at", list(texts), toml)
    assert _read(built, "consent_at", list(texts))[0] == texts


def test_a_format_that_begins_with_the_year_comes_before_the_usual_order(tmp_path: Path) -> None:
    texts = {"2026-05-07 10:00:00": TEN, "2026-05-07 12:00:00+02": TEN}
    toml = 'date_format = "%Y-%d-%m %H:%M:%S"\ntime_zone = "UTC"'
    built = _users(tmp_path, "consent_at", list(texts), toml)
    assert _read(built, "consent_at", list(texts))[0] == texts


@pytest.mark.parametrize("form", ["%m/%d/%Y %I:%M%p", "%m/%d/%Y %I:%M %p"])
def test_am_and_pm_may_touch_the_time_and_its_offset(tmp_path: Path, form: str) -> None:
    blank = " " if " %p" in form else ""
    texts = {
        f"07/05/2026 10:00{blank}AM": TEN,
        f"07/05/2026 03:30{blank}PM+0530": TEN,
        f"07/05/2026 05:00{blank}AM-05:00": TEN,
        f"07/05/2026 10:00{blank}PM UTC": TEN + timedelta(hours=12),
        f"07/05/2026 06:00{blank}AM America/New_York": TEN,
    }
    toml = f'date_format = "{form}"\ntime_zone = "UTC"'
    built = _users(tmp_path, "consent_at", list(texts), toml)
    assert _read(built, "consent_at", list(texts))[0] == texts


def test_a_text_without_a_digit_is_no_time_whatever_strptime_says(tmp_path: Path) -> None:
    """DuckDB reads infinity as 1900-01-01 there: a consent that nobody gave."""
    texts = ["infinity", "-infinity", "epoch", "never"]
    toml = 'date_format = "%m/%d/%Y"\ntime_zone = "UTC"'
    assert _refused(tmp_path, texts, toml) == dict.fromkeys(texts, "not_a_time")


def test_a_consent_of_before_the_first_text_is_none(tmp_path: Path) -> None:
    """The zero of a computer's clock is how exports write that there is no consent."""
    texts = ["1970-01-01T00:00:00Z", "1992-12-02T23:59:59Z", "1992-12-03T00:00:00Z"]
    found, loaded = _read(_users(tmp_path, "consent_at", texts, ""), "consent_at", texts)
    assert list(found.values()) == [None, None, datetime(1992, 12, 3, tzinfo=UTC)]
    assert _unread(loaded) == [("consent_at", "out_of_range", 2)]


def test_a_time_in_a_format_without_a_zone_needs_the_setting(tmp_path: Path) -> None:
    texts = ["07/05/2026 10:00 AM", "07/05/2026 10:00 AM UTC", "07/05/2026 10:00 AM EST"]
    toml = 'date_format = "%m/%d/%Y %I:%M %p"'
    found, loaded = _read(_users(tmp_path, "consent_at", texts, toml), "consent_at", texts)
    assert list(found.values()) == [None, TEN, None]
    assert sorted(_unread(loaded)) == [
        ("consent_at", "ambiguous_time_zone", 1),
        ("consent_at", "time_without_zone", 1),
    ]


def test_further_columns_that_only_look_like_dates_are_no_times(tmp_path: Path) -> None:
    columns = {
        "user_id": ["1", "2", "3", "4"],
        "hired": ["1/2/26", "3/4/26", "10/11/25", "5/6/24"],
        "size": ["10-12-14", "8-10-12", "10-12-14", "8-10-12"],
        "zone": ["2026-01-03 10:00 BST"] * 3 + ["2026-07-03 10:00 BST"],
        "joined": ["2026-01-03", "2026-01-04 10:00", "2026-01-05T10:00:00Z", "2026/01/06"],
    }
    built = _source(tmp_path, "users", columns)
    built.attributes()
    kinds = dict(built.rows(ATTRIBUTES, "column_name, kind"))
    assert kinds.pop("joined") == "timestamp"
    assert set(kinds.values()) == {"categorical"}
    assert built.rows(USERS, "hired, size", "user_id")[0] == ("1/2/26", "10-12-14")


def test_further_columns_are_dates_if_a_format_says_so(tmp_path: Path) -> None:
    columns = {"user_id": ["1", "2"], "hired": ["1/2/26", "12/31/25"]}
    built = _source(tmp_path, "users", columns, 'date_format = "%m/%d/%y"')
    built.attributes()
    assert built.rows(ATTRIBUTES, "column_name, kind") == [("hired", "timestamp")]
    assert built.rows(USERS, "hired", "user_id")[0] == (datetime(2026, 1, 2, 5, tzinfo=UTC),)


MISSING = ["NA", "N/A", "n/a", "NULL", "null", r"\N", "NaN", "nan", "None", "#N/A", "<NA>"]


@pytest.mark.parametrize("column", ["region", "phone", "state", "desired_pay", "consent_at", "own"])
def test_texts_that_mean_missing_are_missing(tmp_path: Path, column: str) -> None:
    texts = [*MISSING, "", "  ", " NA ", "\tNULL", "\u00a0\\N", "\u200b"]
    found, loaded = _read(_users(tmp_path, column, texts), column, texts)
    assert found == dict.fromkeys(texts)
    assert (loaded.rejects, loaded.unread) == ({}, ())


def test_regions_that_are_missing_do_not_meet(tmp_path: Path) -> None:
    built = _source(tmp_path, "jobs", {"job_id": ["10", "20"], "region": [r"\N", "Austin"]})
    built.load_jobs()
    assert built.rows(JOBS, "job_id, region") == [("10", None), ("20", "Austin")]


def test_an_id_that_means_missing_rejects_its_row(tmp_path: Path) -> None:
    ids = [*MISSING, "", " ", "u1"]
    built = _source(tmp_path, "users", {"user_id": ids})
    assert built.load_users().rejects == {"missing_id": len(ids) - 1}
    assert built.rows(USERS, "user_id") == [("u1",)]


def test_texts_that_mean_missing_are_meant_letter_by_letter(tmp_path: Path) -> None:
    marks = ["-", "n.a.", "(none)", "?", "a|b", "it's", "[x]", "^", "$", "unknown value", "*"]
    kept = ["NA", "nxax", "none", "--", "a", "b", "x", "unknown", "unknown value!", "UNKNOWN VALUE"]
    toml = f"null_values = {json.dumps(marks)}"
    found, _ = _read(_users(tmp_path, "region", [*marks, *kept], toml), "region", [*marks, *kept])
    assert found == {**dict.fromkeys(marks), **{text: text for text in kept}}


def test_a_number_or_time_that_means_missing_is_not_read(tmp_path: Path) -> None:
    ids, pays, openings = ["a", "b"], ["-1", "16"], ["999", "3"]
    opened = ["1900-01-01T00:00:00Z", "2026-07-05T10:00:00Z"]
    columns = {"job_id": ids, "pay": pays, "openings": openings, "closed_at": opened}
    marks = 'null_values = ["-1", "999", "1900-01-01T00:00:00Z"]'
    built = _source(tmp_path, "jobs", columns, marks)
    assert _unread(built.load_jobs()) == []
    found = built.rows(JOBS, "job_id, pay, openings, closed_at")
    assert found == [("a", None, None, None), ("b", 16.0, 3, TEN)]


def test_without_such_texts_only_an_empty_cell_is_missing(tmp_path: Path) -> None:
    texts = [*MISSING, "", " "]
    found, _ = _read(_users(tmp_path, "region", texts, "null_values = []"), "region", texts)
    assert found == {**{text: text for text in MISSING}, "": None, " ": None}


BLANKS = [
    "\u00a0",
    "\u200b",
    "\ufeff",
    "\u3000",
    "\u2009",
    "\u202f",
    "\u2060",
    "\t",
    "\x0b",
    "\r\n",
]


def test_invisible_characters_around_an_id_do_not_keep_sources_apart(tmp_path: Path) -> None:
    users = [f"{blank}u{place}{blank}" for place, blank in enumerate(BLANKS)]
    built = _source(tmp_path, "users", {"user_id": users})
    columns = {
        "user_id": [f"u{place}" for place in range(len(BLANKS))],
        "job_id": [f"{blank}10 {blank}" for blank in BLANKS],
        "event_type": [f"click{blank}" for blank in BLANKS],
        "occurred_at": [f"{blank}2026-01-03T10:00:00Z{blank}" for blank in BLANKS],
    }
    literals = zip(*columns.values(), strict=True)
    rows = [{name: f"'{v}'" for name, v in zip(columns, row, strict=True)} for row in literals]
    world.write_parquet(world.values(list(columns), rows), tmp_path / "source/events/all.parquet")
    users_loaded, _, events = built.load()
    assert (users_loaded.rejects, events.rejects) == ({}, {})
    assert built.rows(EVENTS, "user_id, job_id, event_type", "user_id") == [
        (user, "10", "click") for user in columns["user_id"]
    ]


def test_blanks_inside_a_value_stay(tmp_path: Path) -> None:
    texts = ["New\u00a0York", "São  Paulo", "a\u200bb", "zero\u200d", "d\n e"]
    found, _ = _read(_users(tmp_path, "region", texts), "region", texts)
    assert list(found.values()) == ["New\u00a0York", "São  Paulo", "a\u200bb", "zero", "d\n e"]


@pytest.mark.parametrize("text", ["1.23457E+12", "9.0E+15", "1.23457e+12", "1E+12", "1,23457E+12"])
def test_an_id_that_a_spreadsheet_shortened_is_refused_in_each_source(
    tmp_path: Path, text: str
) -> None:
    users = {"user_id": [text, "u1", text.removesuffix("12") + "x"]}
    built = _source(tmp_path, "users", users)
    assert built.load_users().rejects == {"inexact_id": 1}
    assert built.rows(REJECTED_USERS, "column_name, detail") == [("user_id", text)]
    events = {
        "user_id": [text, "u1", "u1"],
        "job_id": ["10", text, "10"],
        "event_type": ["click"] * 3,
        "occurred_at": ["2026-01-03T10:00:00Z"] * 3,
    }
    built.toml += _source(tmp_path, "events", events).toml
    world.write_parquet(
        world.values(["user_id"], [{"user_id": "'u1'"}]), tmp_path / "source/users.parquet"
    )
    _, _, loaded = built.load()
    assert loaded.rejects == {"inexact_id": 2}


@pytest.mark.parametrize("text", ["E+12", "abc1.5E+12", "1.5E", "2f1e+3", "12E5", "1.5E+12x"])
def test_an_id_that_only_has_such_letters_is_an_id(tmp_path: Path, text: str) -> None:
    built = _source(tmp_path, "users", {"user_id": [text]})
    assert built.load_users().rejects == {}
    assert built.rows(USERS, "user_id") == [(text,)]


def test_an_employer_that_a_spreadsheet_shortened_is_missing(tmp_path: Path) -> None:
    columns = {"job_id": ["10", "20"], "employer_id": ["1.23457E+12", "7.0"]}
    built = _source(tmp_path, "jobs", columns)
    assert _unread(built.load_jobs()) == [("employer_id", "inexact_id", 1)]
    assert built.rows(JOBS, "employer_id, unread_columns", "job_id") == [
        (None, "employer_id"),
        ("7", None),
    ]


def test_several_unread_cells_of_a_row_are_all_named_with_an_example_each(tmp_path: Path) -> None:
    columns = {
        "user_id": ["1", "2", "3"],
        "desired_pay": ["16k", "$16/hr", "1_8"],
        "consent_at": ["2026-07-05 10:00:00 BST", "2026-07-05 10:00:00Z", ""],
        "state": ["36", "TX", "NY"],
    }
    built = _source(tmp_path, "users", columns)
    loaded = built.load_users()
    assert (loaded.rejects, loaded.accepted_rows) == ({}, 3)
    assert _unread(loaded) == [
        ("desired_pay", "not_a_number", 2),
        ("consent_at", "ambiguous_time_zone", 1),
        ("state", "number_where_text_belongs", 1),
    ]
    shown = [(one.example.row_number, one.example.column) for one in loaded.unread]
    assert shown == [(1, "desired_pay"), (1, "consent_at"), (1, "state")]
    assert loaded.unread[0].example.detail == "16k"
    found = built.rows(USERS, "user_id, unread_columns, desired_pay")
    assert found == [
        ("1", "state|desired_pay|consent_at", None),
        ("2", None, 16.0),
        ("3", "desired_pay", None),
    ]


def test_optional_cells_of_events_cost_no_event(tmp_path: Path) -> None:
    columns = {
        "user_id": ["1", "2"],
        "job_id": ["10", "20"],
        "event_type": ["click", "click"],
        "occurred_at": ["2026-01-03T10:00:00Z"] * 2,
        "recorded_at": ["2026-01-03 10:00:00 BST", "2026-01-03T11:00:00Z"],
        "position": ["first", "1"],
    }
    built = _source(tmp_path, "events", columns)
    _, _, loaded = built.load()
    assert (loaded.rejects, loaded.accepted_rows) == ({}, 2)
    assert sorted(_unread(loaded)) == [
        ("position", "not_a_number", 1),
        ("recorded_at", "ambiguous_time_zone", 1),
    ]
    assert built.rows(EVENTS, "user_id, position") == [("1", None), ("2", 1)]


def test_a_list_of_postgres_is_joined_by_bars_and_an_empty_one_is_missing(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = postgres.new_database()
    monkeypatch.setenv("CONVERSION_PLATFORM_POSTGRES_DSN", dsn)
    with psycopg.connect(dsn) as con:
        con.execute("CREATE TABLE people (user_id text, skills text[], levels int[])")
        con.execute(
            "INSERT INTO people VALUES ('1', ARRAY['cook', 'fork|lift'], '{1,2}'), "
            "('2', '{}', '{}'), ('3', NULL, NULL)"
        )
    toml = '[sources.users]\nformat = "postgres"\ntable = "public.people"\n'
    built = World(tmp_path, toml).fill()
    built.load_users()
    assert built.rows(USERS, "user_id, skills, levels") == [
        ("1", "cook|fork/lift", "1|2"),
        ("2", None, None),
        ("3", None, None),
    ]
