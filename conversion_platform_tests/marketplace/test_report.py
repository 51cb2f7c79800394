"""`check-sources`: one screen that says what is there and what will be missing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from conversion_platform.errors import SourceError
from conversion_platform.marketplace import SourceReport, check_sources, checked_sources, render
from conversion_platform.marketplace.contract import CONTRACTS
from conversion_platform.marketplace.masking import NOT_SHOWN, masked
from conversion_platform_tests.marketplace import world
from conversion_platform_tests.marketplace.world import World
from conversion_platform_tests.training.test_examples import changed

FULL_USERS = (
    "SELECT i AS user_id, TIMESTAMPTZ '2026-01-01 05:00:00+00' AS created_at, "
    "'+1 212 555 01' || (10 + i) AS phone, "
    "CASE WHEN i < 5 THEN TIMESTAMPTZ '2026-01-01 05:00:00+00' END AS consent_at, "
    "'web form' AS consent_source, 'I agree to get texts.' AS consent_text, "
    "'America/New_York' AS time_zone, 'NY' AS state, 'nyc' AS region, 40.7 AS latitude, "
    "-74.0 AS longitude, 15.0 AS desired_pay, 'cook' AS skills, 'day' AS shift, i % 2 AS n "
    "FROM range(10) t(i) UNION ALL SELECT 99, NULL, '212 555 0199', NULL, NULL, NULL, "
    "'212 555 0188', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
)
FULL_JOBS = (
    "SELECT i AS job_id, TIMESTAMPTZ '2026-01-01 05:00:00+00' AS opened_at, "
    "TIMESTAMPTZ '2026-02-01 05:00:00+00' AS closed_at, 'Cook' AS title, 'e1' AS employer_id, "
    "'cook' AS category, 'nyc' AS region, 40.7 AS latitude, -74.0 AS longitude, 15.0 AS pay, "
    "'day' AS shift FROM range(4) t(i)"
)
FULL_EVENTS = (
    "SELECT event_type || '-' || i AS event_id, i % 10 AS user_id, i % 4 AS job_id, event_type, "
    "TIMESTAMPTZ '2026-01-02 15:00:00+00' + to_days((i // 10)::INT) + "
    "CASE event_type WHEN 'application' THEN INTERVAL 1 HOUR ELSE INTERVAL 0 HOUR END "
    "AS occurred_at, i % 3 AS position FROM range(40) t(i), "
    "(VALUES ('impression'), ('application')) v(event_type) "
    "WHERE event_type = 'impression' OR i < 10"
)


def _report(tmp_path: Path, **sources: str) -> SourceReport:
    filled = {"users": FULL_USERS, "jobs": FULL_JOBS, "events": FULL_EVENTS, **sources}
    return check_sources(World(tmp_path).fill(**filled).settings)


def test_the_report_counts_what_is_there(tmp_path: Path) -> None:
    report = _report(tmp_path)
    assert [(s.name, s.read_rows, s.accepted_rows, s.verdict) for s in report.sources] == [
        ("users", 11, 11, "warn"),
        ("jobs", 4, 4, "ok"),
        ("events", 50, 50, "ok"),
    ]
    assert (report.first_day, report.last_day) == (date(2026, 1, 2), date(2026, 1, 5))
    assert report.event_types == {"impression": 40, "application": 10}
    assert (report.impressions, report.converted) == (40, 10)
    assert report.conversion_rate == 0.25
    assert (report.phone_share, report.consent_share) == (1.0, 5 / 11)
    assert report.missing == (
        "No earlier versions of users and jobs: days before the first run see them as they are "
        "then (docs/history.md).",
    )


def test_a_report_with_too_many_rejects_is_not_usable(tmp_path: Path) -> None:
    assert _report(tmp_path / "fine").usable
    bad = "SELECT NULL AS job_id, i AS n FROM range(3) t(i) UNION ALL SELECT 9, NULL"
    report = _report(tmp_path / "bad", jobs=bad)
    assert [source.verdict for source in report.sources][1] == "fail"
    assert not report.usable


def test_one_day_is_not_told_as_days(tmp_path: Path) -> None:
    assert (
        "2026-01-02 to 2026-01-02: 1 day\n"
        in "\n".join(
            line.rstrip()
            for line in render(
                _report(tmp_path, events=FULL_EVENTS.replace("(i // 10)", "0"))
            ).splitlines()
        )
        + "\n"
    )


def test_looking_changes_nothing_in_the_lake(tmp_path: Path) -> None:
    _report(tmp_path)
    assert not (tmp_path / "lake").exists()


def test_the_screen_is_one_screen_and_shows_no_phone_number(tmp_path: Path) -> None:
    screen = render(_report(tmp_path))
    assert len(screen.splitlines()) < 40
    assert max(map(len, screen.splitlines())) <= 100
    assert "unknown_time_zone" in screen or "number_where_text_belongs" in screen
    assert "0188" not in screen
    assert "0199" not in screen
    for part in (
        "2026-01-02 to 2026-01-05",
        "25.00%",
        "100.0% of users",
        "[sources.users] attributes",
    ):
        assert part in screen


@pytest.mark.parametrize(
    ("sources", "part"),
    [
        ({"users": world.USERS}, "no message can be sent"),
        ({"users": world.USERS}, "no distance"),
        (
            {"users": FULL_USERS.replace("'I agree to get texts.'", "NULL::VARCHAR")},
            "No users.consent_text: a consent without its wording",
        ),
        (
            {"users": FULL_USERS.replace("'web form'", "NULL::VARCHAR")},
            "No users.consent_source: a consent without its source",
        ),
        ({"users": world.USERS}, "No region"),
        ({"jobs": "SELECT unnest([0, 1, 2, 3]) AS job_id"}, "no pay match"),
        ({"events": FULL_EVENTS.replace("'impression'", "'click'")}, "negatives are sampled"),
        ({"events": FULL_EVENTS.replace("'application'", "'other'")}, "Only one class of labels"),
        (
            {
                "events": FULL_EVENTS.replace("OR i < 10", "")
                + " AND i < 10 UNION ALL "
                + FULL_EVENTS.replace(
                    "event_type = 'impression' OR i < 10", "event_type = 'application' AND i < 10"
                ).replace("event_type || '-'", "'x' || '-'")
            },
            "Only one class of labels: every impression converts",
        ),
        ({"events": FULL_EVENTS.replace("AS position", "AS slot")}, "No events.position"),
    ],
)
def test_what_will_be_missing_downstream_is_said_before_anything_runs(
    tmp_path: Path, sources: dict[str, str], part: str
) -> None:
    report = _report(tmp_path, **sources)
    assert any(part in line for line in report.missing), report.missing


def test_the_report_knows_the_attributes_that_a_model_knows(tmp_path: Path) -> None:
    built = World(tmp_path, '[sources.users]\npath = "users.csv"\nattributes = ["years", "gone"]\n')
    rows = "".join(f"{place},{place}\n" for place in range(9))
    built.fill()
    (tmp_path / "users.csv").write_text(f"user_id,years\n{rows}9,3+\n")
    with pytest.raises(SourceError, match="gone"):
        check_sources(built.settings)
    report = check_sources(built.settings, {"users": {"years": "numeric", "gone": "numeric"}})
    assert [(one.column_name, one.kind) for one in report.attributes] == [("years", "numeric")]
    assert [(one.column, one.reason, one.rows) for one in report.sources[0].unread] == [
        ("years", "not_a_number", 1)
    ]
    assert any("lists gone, which the source has no more" in one for one in report.missing)


def test_a_conversion_that_follows_two_impressions_is_told_as_such(tmp_path: Path) -> None:
    events = (
        "SELECT * FROM (VALUES ('a', 1, 1, 'impression', '2026-01-02T15:00:00Z'), "
        "('b', 1, 1, 'impression', '2026-01-03T15:00:00Z'), "
        "('c', 1, 1, 'application', '2026-01-03T16:00:00Z')) "
        "e(event_id, user_id, job_id, event_type, occurred_at)"
    )
    report = _report(tmp_path, events=events)
    assert (report.impressions, report.converted, report.conversions) == (2, 2, 1)
    assert "2 of 2 impressions (user, job and day) are followed by a conversion" in render(report)


def test_every_text_of_a_source_is_on_the_screen_as_it_is(tmp_path: Path) -> None:
    odd = ("Applied [/x]", "Applied [web]", ":smile:", "[red]seen", "a\\", "a\x1bb\x07", "a\nb")
    events = ", ".join(f"('{kind}', 1, 1, '2026-01-02T15:00:00Z')" for kind in odd)
    built = World(tmp_path).fill(
        users="SELECT 1 AS user_id, '2026-01-02' AS created_at, 'a [/b]' AS \"Mr. [/x] :cat:\"",
        jobs="SELECT 1 AS job_id",
        events=f"SELECT * FROM (VALUES {events}) e(event_type, user_id, job_id, occurred_at)",
    )
    screen = " ".join(render(check_sources(built.settings), width=600).split())
    for kind in odd:
        shown = kind.replace("\x1b", r"\x1b").replace("\x07", r"\x07").replace("\n", r"\n")
        assert f"{shown} 1" in screen  # the line Events
    listed = screen.partition("event types of the source: ")[2]
    assert listed.startswith(":smile:, Applied [/x], Applied [web], ")


@pytest.mark.parametrize("width", range(80, 140, 8))
def test_a_proposed_setting_can_be_pasted_from_the_screen(tmp_path: Path, width: int) -> None:
    """A string of TOML ends in its line, and a key has its value beside it."""
    written = 'date_format = "%m/%d/%Y %I:%M %p"'
    texts = (
        f"occurred_at looks like MM/DD/YYYY hh:mm AM: sources.events.{written}.",
        'pay: "not given" may mean a missing value: sources.users.null_values = ["", "not given"].',
    )
    report = replace(_report(tmp_path), proposals=texts)
    screen = render(report, width)
    lines = [line.strip() for line in screen.splitlines()]
    assert any(line.endswith(f"{written}.") for line in lines)
    assert any('sources.users.null_values = ["",' in line for line in lines)
    assert [line for line in lines if line.count('"') % 2] == []
    assert " ".join(texts) in " ".join(screen.split())


def test_texting_counts_the_numbers_that_sending_accepts(tmp_path: Path) -> None:
    report = _report(
        tmp_path,
        users="SELECT unnest([1, 2, 3, 4]) AS user_id, '2026-01-01T05:00:00Z' AS consent_at, "
        "unnest(['n/a number', '123', '(212) 555-0123', 'x']) AS phone, "
        "'web' AS consent_source, 'I agree.' AS consent_text",
    )
    assert (report.phone_share, report.consent_share) == (0.25, 0.25)
    assert "25.0% of users have a valid phone number, 25.0% a valid one" in render(report)


def test_a_cell_that_moved_into_the_event_type_is_told_without_what_it_says(tmp_path: Path) -> None:
    moved = " UNION ALL ".join(
        f"SELECT '{name}-' || i, i, 0, '{name}', TIMESTAMPTZ '2026-01-02 15:00:00+00', 0 "
        "FROM range(3) t(i)"
        for name in ("zq@planted.example", "+1 212 555 0777", "Zqann Moved", "Zqbob Moved", "view")
    )
    settings = World(tmp_path).fill(FULL_USERS, FULL_JOBS, f"{FULL_EVENTS} UNION ALL {moved}")
    never = settings.settings.events.model_copy(update={"conversion_types": ("hire",)})
    report = check_sources(settings.settings.model_copy(update={"events": never}))
    assert report.event_types == {
        "impression": 40,
        "application": 10,
        "(not shown)": 6,
        "(address)": 3,
        "...77": 3,
        "view": 3,
    }
    for text in (render(report), " ".join(report.missing)):
        assert "application" in text and "view" in text
        assert not re.search("planted|0777|Zq|Moved", text)


def test_events_before_the_start_date_are_named(tmp_path: Path) -> None:
    later = changed(World(tmp_path).fill().settings, "platform", start_date=date(2026, 1, 3))
    missing = check_sources(later).missing
    assert missing[0] == (
        "2 events before platform.start_date = 2026-01-03: no run reads them. "
        "The first is of 2026-01-02."
    )


@pytest.mark.parametrize(
    ("column", "text", "shown"),
    [
        ("users.phone", "x", "(personal)"),
        ("users.latitude", "91.5", "(personal)"),
        ("jobs.latitude", "91.5", "91.5"),
        ("users.user_id", "+1 (212) 555-0199", "...99"),
        ("users.user_id", "10000", "10000"),
        ("events.user_id", "Maria Garcia", "(not shown)"),
        ("jobs.title", "call 212.555.0199 now", "call ...99 now"),
        ("jobs.title", "mail a.b@example.com", "mail (address)"),
        ("jobs.title", None, None),
        ("jobs.pay", "By Agreement", "By Agreement"),
        ("jobs.region", "New York", "New York"),
        ("users.state", "78701", "(not shown)"),
        ("users.consent_at", "-", "-"),
        ("users.desired_pay", "Not Provided", "Not Provided"),
        ("users.phone", "-", "(personal)"),
        ("events.event_type", "3", "3"),
    ],
)
def test_an_example_shows_nothing_personal(
    column: str, text: str | None, shown: str | None
) -> None:
    assert _masked(column, text) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("2026-01-03 10:00:00", "2026-01-02T10", "01/02/2026 3:00 PM", "20121305"),
        *("Jan 2, 2026", "2-Feb-2026", "Mon, 02 Jan 2026 10:00:00 GMT", "20260102", "1767312000"),
        *("2026-01-02 10:00:00.5 America/New_York", "2026-01-02 10:00 BST"),
        *("2026-13-45", "2026-01-02 10:00:00+00:00", "31.12.2026 10:00", "2010-01-01"),
    ],
)
def test_an_example_of_a_time_shows_how_it_is_written(text: str) -> None:
    assert _masked("users.created_at", text) == text


@pytest.mark.parametrize(
    ("text", "form"),
    [
        *(("05/12/02", "dd/dd/dd"), ("1/2/26", "d/d/dd"), ("12.05.08", "dd.dd.dd")),
        *(("05121990", "dddddddd"), ("12052002", "dddddddd"), ("20101985", "dddddddd")),
        *(("5 May 02", "d month dd"), ("May 12 02", "month dd dd"), ("3 May", "d month")),
        *(("12-mai-1990", "dd-month-dddd"), ("1990-05", "dddd-dd"), ("2009-12-31", "dddd-dd-dd")),
        *(("05/12/02 10:30 PM", "dd/dd/dd dd:dd PM"), ("1009843200", "dddddddddd")),
        *(("0001-01-01", "dddd-dd-dd"), ("2005-05-12T2026", NOT_SHOWN), ("642556800", NOT_SHOWN)),
    ],
)
def test_of_a_time_that_may_be_a_birth_date_only_its_form_is_shown(text: str, form: str) -> None:
    for column in ("users.created_at", "users.left_at", "events.occurred_at"):
        assert _masked(column, text) == form


@pytest.mark.parametrize(
    "text",
    [
        *("12.05.08", "12 05 1990", "12,05,08", "05121990", "20101985", "1 . 2 . 1990", "05.1990"),
        *("May 1990", "5May90", "5th of May 1990", "12 May, 90", "1990 05 12", "1990", "1985-05"),
        *("12-05-90", "05/12/1990", "1990.5.12", "12_05_1990"),
    ],
)
@pytest.mark.parametrize(
    "column",
    [
        *("users.desired_pay", "users.state", "users.time_zone", "users.user_id"),
        *("events.event_type", "events.job_id", "events.position"),
    ],
)
def test_a_birth_date_that_moved_into_another_column_is_not_shown(column: str, text: str) -> None:
    if column.endswith("_id") and text == "1990":
        return  # ids are shown
    shown = _masked(column, text) or ""
    assert not any(part in shown for part in re.findall(r"[A-Za-z]{3,}|\d+", text)), shown


@pytest.mark.parametrize(
    "text",
    [
        *("(512) 555-0142", "512-555-0142", "+15125550142", "512.555.0142", "maria@example.org"),
        *("Maria Garcia", "Maria", "Born 1980-02-03", "1980-02-03", "02/03/1980 00:00", "3/2/80"),
        *(
            "12 Oak Street",
            "78701",
            "30.26715",
            "19800203",
            "called Maria 2026-01-02",
            "2 Feb 1980",
        ),
    ],
)
@pytest.mark.parametrize(
    "column",
    [
        *("users.created_at", "users.consent_at", "users.time_zone", "users.desired_pay"),
        *("events.occurred_at", "events.position"),
    ],
)
def test_a_cell_that_moved_by_a_column_is_not_shown(column: str, text: str) -> None:
    if column in ("users.desired_pay", "events.position") and text == "78701":
        return  # it can be read as a number, and is never an example
    shown = _masked(column, text) or ""
    assert not any(part in shown for part in re.findall(r"[A-Za-z]{4,}|\d{2,}", text)), shown


@pytest.mark.parametrize(
    ("column", "text"),
    [
        *[
            ("users.time_zone", one)
            for one in ("ANNA", "MARIA", "Maria", "Zqfirst/Zqlast", "Israel")
        ],
        *[("users.time_zone", one) for one in ("Asia/Zqlast", "Eastern Time (Ann Smith)", "A1B")],
        *[
            ("users.desired_pay", one)
            for one in ("CA 94110", "12 Elm", "42 years", "$9 Zqann", "$ann")
        ],
        *[("users.desired_pay", one) for one in ("42 m", "9 Zqann $", "Apt 4", "12a", "42 y")],
        *[("users.created_at", one) for one in ("2026-01-02 10:00 MARIA", "Monica 2 Jan 2026")],
        *[("users.created_at", one) for one in ("2 Marianna 2026", "2026-01-02 Ann/Smith")],
        ("events.position", "3 Elm"),
    ],
)
def test_a_word_that_zones_and_amounts_do_not_have_is_not_shown(column: str, text: str) -> None:
    assert _masked(column, text) == NOT_SHOWN


@pytest.mark.parametrize(
    "text",
    [
        *(
            "America/Chicgo",
            "CST",
            "Eastern Time",
            "UTC-5",
            "EST5EDT",
            "america/new york",
            "+05:30",
        ),
        *("Central Standard Time", "Eastern Time (US & Canada)", "Europe/Berln"),
    ],
)
def test_an_example_of_a_zone_is_shown(text: str) -> None:
    assert _masked("users.time_zone", text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("$900/week", "16k", "3+", "1_8", "16 USD per hour", "$16-18/hr", "1200,50", "16\u201318"),
        *(
            "~15",
            "\u20ac 12",
            "16 hourly",
            "40000/yr",
            "USD 40k per year",
            "$15 to $18 an hour",
            "-5",
        ),
    ],
)
def test_an_example_of_a_number_is_shown(text: str) -> None:
    assert _masked("users.desired_pay", text) == text


def _masked(column: str, text: str | None) -> str | None:
    """What is shown of a cell of `TABLE.COLUMN`."""
    table, _, name = column.partition(".")
    return masked(next(one for one in CONTRACTS if one.name == table), name, text)


def _mixed(folder: Path, *cells: str) -> str:
    """What `check-sources` says of the units in a column of pay."""
    rows = "".join(f"{place},{cell}\n" for place, cell in enumerate(cells))
    (folder / "users.csv").write_text(f"user_id,desired_pay\n{rows}")
    built = World(folder, '[sources.users]\npath = "users.csv"\n').fill()
    report = check_sources(built.settings)
    screen = re.sub(r"\s+", " ", render(report))
    told = [one for one in report.missing if "names several" in one]
    assert all(one in screen for one in told)
    return " ".join(told)


def test_a_number_column_of_two_units_names_both_with_their_counts(tmp_path: Path) -> None:
    cells = [*["$16/hr"] * 3, *["$900/week"] * 3, "$17 per hour", "18"]
    assert _mixed(tmp_path, *cells) == (
        "users.desired_pay names several units: hour in 4 cells, week in 3. Only those of hour are "
        "read, the others are missing: export all in one, or convert them with sources.users.sql."
    )


def test_a_number_column_of_two_currencies_names_both_with_their_counts(tmp_path: Path) -> None:
    told = _mixed(tmp_path, "€16", "€17", "$18", "19")
    assert "several currencies: EUR in 2 cells, USD in 1. Only those of EUR are read" in told


def test_of_the_units_of_a_column_no_word_is_shown_that_may_be_a_name(tmp_path: Path) -> None:
    told = _mixed(tmp_path, "16/hr", "17/hr", "3 Smithson", "4 Quux")
    assert "several units: hour in 2 cells, other words in 2." in told


@pytest.mark.parametrize("cells", [["$16/hr", "17 per hour", "18"], ["16/hr", "16k", "much"]])
def test_a_column_of_one_unit_is_not_told_to_name_several(tmp_path: Path, cells: list[str]) -> None:
    assert _mixed(tmp_path, *cells) == ""


@pytest.mark.parametrize("by_sql", [False, True])
def test_rows_that_are_held_back_are_counted_so_that_rows_add_up(
    tmp_path: Path, by_sql: bool
) -> None:
    days = {
        "2026-01-01": ["1,x,2026-01-01", "2,x,2026-01-01", "3,x,2026-01-01"],
        "2026-01-02": ["1,x,2026-01-02", "2,y,2026-01-02", "3,y,2026-01-02"],
        "2026-01-03": ["1,z,2026-01-03", "1,w,2027-01-01", "2,y,2026-01-03", "4,x,2027-01-01"],
    }
    for day, rows in days.items():
        file = tmp_path / f"users/dt={day}/all.csv"
        file.parent.mkdir(parents=True)
        lines = ["user_id,region,valid_from", *(f"{row}T00:00:00Z" for row in rows)]
        file.write_text("\n".join(lines))
    place = 'path = "users"\n'
    query = f'[inputs.people]\n{place}[sources.users]\nsql = "SELECT * FROM people"\n'
    built = World(tmp_path, query if by_sql else f"[sources.users]\n{place}").fill()
    with checked_sources(built.settings, today=date(2026, 1, 5)) as checked:
        report = checked.report
    (users, *_) = report.sources
    assert (users.read_rows, users.accepted_rows, users.rejects) == (10, 2, {})
    assert (users.past_rows, users.held_rows) == (4, 4)
    screen = render(report)
    assert re.search(r"Source +read +accepted +earlier rows +held back +rejected", screen)
    assert re.search(r"users +10 +2 +4 +4 +0", screen)
    missing = " ".join(report.missing)
    assert "a later day (`valid_from`): 2. Of 1 users these are all" in missing
    assert "1 users of earlier `dt=` folders are not in the newest one (2026-01-03)" in missing
    assert "rows held back: 2" in missing


@pytest.mark.parametrize("extension", ["csv", "parquet"])
@pytest.mark.parametrize("by_sql", [False, True])
def test_the_day_of_a_folder_is_no_attribute_and_other_folders_are(
    tmp_path: Path, extension: str, by_sql: bool
) -> None:
    for market, level in (("north", 1), ("south", 2)):
        rows = f"SELECT '{market}' || i AS user_id, {level} AS level FROM range(9) t(i)"
        for day in (1, 2):
            place = f"users/market={market}/dt=2026-01-0{day}/all.{extension}"
            world.write(rows, tmp_path / place)
    place = 'path = "users"\n'
    query = f'[inputs.people]\n{place}[sources.users]\nsql = "SELECT * FROM people"\n'
    built = World(tmp_path, query if by_sql else f"[sources.users]\n{place}").fill()
    report = check_sources(built.settings)
    assert [one.column_name for one in report.attributes] == ["level", "market"]
    assert report.proposals == ('[sources.users] attributes = ["level", "market"]',)
    built.toml += 'columns.updated_at = "dt"\ntime_zone = "UTC"\n'
    assert check_sources(built.settings).sources[0].accepted_rows == 18


def test_a_column_dt_of_a_file_is_an_attribute(tmp_path: Path) -> None:
    rows = "SELECT i AS user_id, i % 3 AS dt FROM range(9) t(i)"
    world.write(rows, tmp_path / "users/dt=2026-01-01/all.csv")
    built = World(tmp_path, '[sources.users]\npath = "users"\n').fill()
    assert [one.column_name for one in check_sources(built.settings).attributes] == ["dt_2"]


def test_a_row_that_holds_from_a_later_day_is_not_checked_as_if_it_did(tmp_path: Path) -> None:
    """What `check-sources` says of users is what a run of today will see."""
    users = "SELECT unnest([1, 2]) AS user_id, unnest(['2026-01-01Z', '2027-01-02Z']) AS valid_from"
    built = World(tmp_path).fill(users.replace("Z'", "T00:00:00Z'"))
    for today, accepted in ((date(2026, 12, 31), 1), (date(2027, 1, 2), 2)):
        with checked_sources(built.settings, today=today) as checked:
            assert checked.report.sources[0].accepted_rows == accepted
