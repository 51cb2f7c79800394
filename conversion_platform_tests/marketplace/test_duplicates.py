"""Of several rows of one user or job the settings or a time say which counts, or the load stops."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from conversion_platform.errors import NotReadyError, SourceError
from conversion_platform.marketplace import JOBS, REJECTED_USERS, USERS, load_users
from conversion_platform.marketplace.history import JOBS_VERSIONS, USERS_VERSIONS
from conversion_platform_tests.marketplace.world import World

HEAD = "user_id,phone,consent_at,updated_at"
OLD = "1,+12125550101,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z"
NEW = "1,+12125550109,,2026-01-02T00:00:00Z"
OTHER = "2,+12125550102,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z"


def _users(folder: Path, lines: list[str], toml: str = "", head: str = HEAD) -> World:
    (folder / "users.csv").write_text("\n".join([head, *lines, ""]))
    return World(folder, f'[sources.users]\npath = "users.csv"\n{toml}\n').fill()


def _without_time(line: str) -> str:
    return line.rpartition(",")[0]


def _refused(built: World, *parts: str) -> str:
    """The message of a load that stops; nothing of it is written."""
    with pytest.raises(SourceError) as caught:
        built.load_users()
    for part in parts:
        assert part in str(caught.value)
    with built.session() as session, pytest.raises(NotReadyError):
        session.lake.require(USERS)
    return str(caught.value)


@pytest.mark.parametrize("lines", [[OLD, OTHER, NEW], [NEW, OTHER, OLD]])
@pytest.mark.parametrize("toml", ["", 'duplicates = "newest"'])
def test_the_newest_row_counts_so_that_a_consent_that_was_withdrawn_is_gone(
    tmp_path: Path, lines: list[str], toml: str
) -> None:
    built = _users(tmp_path, lines, toml)
    loaded = built.load_users()
    assert built.rows(USERS, "user_id, phone, consent_at") == [
        ("1", "+12125550109", None),
        ("2", "+12125550102", datetime(2026, 1, 1, tzinfo=UTC)),
    ]
    # The older row is no reject: it says what was so before.
    assert (loaded.rejects, loaded.past_rows, loaded.read_rows) == ({}, 1, 3)
    assert built.rows(USERS_VERSIONS, "user_id, told_at") == [
        ("1", datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 2)
    ]


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_the_newest_row_counts_whichever_file_it_is_in(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    (tmp_path / "users").mkdir()
    for name, line in zip(names, (OLD, NEW), strict=True):
        (tmp_path / f"users/{name}.csv").write_text(f"{HEAD}\n{line}\n")
    built = World(tmp_path, '[sources.users]\npath = "users"\n').fill()
    built.load_users()
    assert built.rows(USERS, "phone, consent_at") == [("+12125550109", None)]


def test_times_are_compared_as_instants_and_not_as_texts(tmp_path: Path) -> None:
    lines = ["1,+12125550101,,2026-01-02T01:00:00+09:00", "1,+12125550109,,2026-01-01T23:00:00Z"]
    built = _users(tmp_path, lines)
    built.load_users()
    assert built.rows(USERS, "phone") == [("+12125550109",)]


def test_the_time_may_have_another_name(tmp_path: Path) -> None:
    head = "user_id,phone,consent_at,Last Change"
    built = _users(tmp_path, [NEW, OLD], "columns = { updated_at = 'Last Change' }", head)
    built.load_users()
    assert built.rows(USERS, "phone") == [("+12125550109",)]


def test_rows_that_differ_without_a_time_stop_the_load(tmp_path: Path) -> None:
    lines = [_without_time(line) for line in (OLD, OTHER, NEW)]
    built = _users(tmp_path, lines, head=_without_time(HEAD))
    message = _refused(built, "sources.users", "updated_at", 'duplicates = "first"', "1 id (1)")
    assert "+1212" not in message


def test_rows_of_one_time_that_differ_stop_the_load(tmp_path: Path) -> None:
    _refused(_users(tmp_path, [OLD, OLD.replace("0101", "0109")]), "updated_at")


def test_rows_that_differ_in_an_attribute_alone_stop_the_load(tmp_path: Path) -> None:
    lines, head = ["1,cook", "1,waiter", "2,cook"], "user_id,trade"
    built = _users(tmp_path, lines, 'attributes = ["trade"]', head)
    _refused(built, "updated_at")


def test_rows_may_differ_in_what_nobody_reads(tmp_path: Path) -> None:
    """A wide table of activities has a job in each row of a user."""
    built = _users(tmp_path, ["1,cook", "1,waiter", "2,cook"], head="user_id,trade")
    assert built.load_users().rejects == {"duplicate_id": 1}


def test_older_rows_of_one_time_stop_nothing(tmp_path: Path) -> None:
    built = _users(tmp_path, [OLD, OLD.replace("0101", "0105"), NEW])
    loaded = built.load_users()
    assert (loaded.rejects, loaded.past_rows, loaded.read_rows) == ({"duplicate_id": 1}, 1, 3)
    assert built.rows(USERS, "phone") == [("+12125550109",)]


@pytest.mark.parametrize("time", ["", "yesterday", "01/05/2026"])
def test_a_row_whose_time_is_not_known_never_makes_an_older_consent_count(
    tmp_path: Path, time: str
) -> None:
    """It may be the newer one: then its withdrawal counts."""
    built = _users(tmp_path, [OLD, f"1,+12125550109,,{time}"])
    _refused(built, "updated_at")


@pytest.mark.parametrize("toml", ["", 'duplicates = "first"', 'duplicates = "refuse"'])
@pytest.mark.parametrize("head", [HEAD, _without_time(HEAD)])
def test_copies_of_one_row_are_rejected_and_no_more(tmp_path: Path, toml: str, head: str) -> None:
    lines = [OLD, OTHER, OLD, OLD]
    if head != HEAD:
        lines = [_without_time(line) for line in lines]
    built = _users(tmp_path, lines, toml, head)
    loaded = built.load_users()
    assert (loaded.rejects, loaded.accepted_rows) == ({"duplicate_id": 2}, 2)
    assert built.rows(USERS, "user_id, phone") == [("1", "+12125550101"), ("2", "+12125550102")]
    assert built.rows(REJECTED_USERS, "row_number", "row_number") == [(3,), (4,)]


def test_copies_in_two_files_of_one_row_are_rejected_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "users").mkdir()
    (tmp_path / "users/a.csv").write_text("user_id,region\n1,x\n2,y\n")
    (tmp_path / "users/b.csv").write_text("region,user_id\nx,1\nz,3\n")
    built = World(tmp_path, '[sources.users]\npath = "users"\n').fill()
    assert built.load_users().rejects == {"duplicate_id": 1}
    assert built.rows(REJECTED_USERS, "source, row_number") == [("users/b.csv", 1)]


@pytest.mark.parametrize("lines", [[OLD, OTHER, NEW], [NEW, OTHER, OLD]])
def test_the_first_row_counts_if_the_settings_say_so(tmp_path: Path, lines: list[str]) -> None:
    built = _users(tmp_path, lines, 'duplicates = "first"')
    built.load_users()
    phone = lines[0].split(",")[1]
    assert built.rows(USERS, "phone", "user_id")[0] == (phone,)
    assert built.rows(REJECTED_USERS, "row_number") == [(3,)]


def test_the_first_row_is_that_of_the_first_file(tmp_path: Path) -> None:
    (tmp_path / "users").mkdir()
    for number in reversed(range(12)):
        text = f"user_id,region\nu{number},own\n1,{number}\n"
        (tmp_path / f"users/{number:02d}.csv").write_text(text)
    toml = '[sources.users]\npath = "users"\nduplicates = "first"\n'
    built = World(tmp_path, toml).fill()
    assert built.load_users().rejects == {"duplicate_id": 11}
    assert built.rows(USERS, "region", "user_id")[0] == ("0",)


def test_rows_that_differ_are_refused_if_the_settings_say_so(tmp_path: Path) -> None:
    message = _refused(_users(tmp_path, [OLD, NEW], 'duplicates = "refuse"'), "sources.users")
    assert "refuse" in message


def test_every_id_is_counted_and_a_few_are_named(tmp_path: Path) -> None:
    lines = [f"{user},{kind}" for kind in ("a", "b") for user in range(100, 1600)]
    built = _users(tmp_path, lines, head="user_id,region")
    message = _refused(built, "1,500 ids", "100, 1000, 1001 ...")
    assert len(message) < 600


def test_a_rejected_row_is_no_copy(tmp_path: Path) -> None:
    lines = ["1,a", ",b", ",c", "x,y,z", "2,d"]
    built = _users(tmp_path, lines, head="user_id,region")
    assert built.load_users().rejects == {"missing_id": 2, "broken_line": 1}


def test_jobs_are_decided_in_the_same_way(tmp_path: Path) -> None:
    head = "job_id,title,updated_at"
    rows = ["10,Cook,2026-01-02T00:00:00Z", "10,Chef,2026-01-03T00:00:00Z", "20,Waiter,"]
    (tmp_path / "jobs.csv").write_text("\n".join([head, *rows, ""]))
    built = World(tmp_path, '[sources.jobs]\npath = "jobs.csv"\n').fill()
    assert (built.load_jobs().rejects, len(built.rows(JOBS_VERSIONS))) == ({}, 2)
    assert built.rows(JOBS, "job_id, title") == [("10", "Chef"), ("20", "Waiter")]
    (tmp_path / "jobs.csv").write_text("job_id,title\n10,Cook\n10,Chef\n")
    with pytest.raises(SourceError, match=r"sources\.jobs"):
        built.load_jobs()


def test_a_daily_export_tells_a_version_only_where_something_changed(tmp_path: Path) -> None:
    for day, region in enumerate("xxyyyx", start=1):
        folder = tmp_path / f"users/dt=2026-01-0{day}"
        folder.mkdir(parents=True)
        (folder / "all.csv").write_text(f"user_id,region,note\n1,{region},{day}\n2,z,{day}\n")
    built = World(tmp_path, '[sources.users]\npath = "users"\n').fill()
    loaded = built.load_users()
    assert (loaded.accepted_rows, loaded.past_rows, loaded.rejects) == (2, 10, {})
    found = built.rows(
        USERS_VERSIONS, "user_id, region, told_at::DATE::VARCHAR", "told_at, user_id"
    )
    assert [(user, region) for user, region, _ in found] == [
        ("1", "x"), ("2", "z"), ("1", "y"), ("1", "x"),
    ]  # fmt: skip


BOTH = "user_id,region,valid_from,updated_at"


@pytest.mark.parametrize("reverse", [False, True])
def test_of_rows_that_hold_from_one_time_the_one_written_last_counts(
    tmp_path: Path, reverse: bool
) -> None:
    lines = [
        "1,old,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z",
        "1,corrected,2026-01-01T00:00:00Z,2026-01-03T00:00:00Z",
        "2,newest,2026-01-02T00:00:00Z,2026-01-02T00:00:00Z",
        "2,before,2026-01-01T00:00:00Z,2026-01-09T00:00:00Z",
    ]
    built = _users(tmp_path, lines[::-1] if reverse else lines, head=BOTH)
    assert built.load_users().rejects == {"duplicate_id": 1}
    assert built.rows(USERS, "region", "user_id") == [("corrected",), ("newest",)]
    assert built.rows(USERS_VERSIONS, "region", "ALL") == [
        ("before",), ("corrected",), ("newest",),
    ]  # fmt: skip


def test_rows_written_at_one_time_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for day, region in ((1, "old"), (2, "new")):
        folder = tmp_path / f"users/dt=2026-01-0{day}"
        folder.mkdir(parents=True)
        (folder / "all.csv").write_text(
            f"user_id,region,updated_at\n1,{region},2026-01-01T00:00:00Z\n"
        )
    built = World(tmp_path, '[sources.users]\npath = "users"\n').fill()
    built.load_users()
    assert built.rows(USERS, "region") == [("new",)]


@pytest.mark.parametrize(
    ("head", "lines", "why", "remedy"),
    [
        ("user_id,region", ["1,a", "1,b"], "neither an `updated_at`", "columns] updated_at"),
        (
            "user_id,region,valid_from",
            ["1,a,2026-01-01T00:00:00Z", "1,b,2026-01-01T00:00:00Z"],
            "the newest have one `valid_from`",
            "columns] updated_at",
        ),
        (
            "user_id,region,valid_from",
            ["1,a,2026-01-01T00:00:00Z", "1,b,"],
            "the `valid_from` of some of them is missing",
            "Correct `valid_from`",
        ),
        (
            "user_id,region,updated_at",
            ["1,a,2026-01-01T00:00:00Z", "1,b,soon"],
            "the `updated_at` of some of them is missing, cannot be read or",
            "Correct `updated_at`",
        ),
        (
            BOTH,
            ["1,a,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z", "1,b,2026-01-01T00:00:00Z,"],
            "have one `updated_at`, or one of them has none",
            "later `updated_at`",
        ),
        (
            BOTH,
            ["1,a,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z"] * 2
            + ["1,b,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z"],
            "those of the newest `valid_from` have one `updated_at`",
            "later `updated_at`",
        ),
    ],
)
def test_a_source_that_is_refused_says_why_and_what_helps(
    tmp_path: Path, head: str, lines: list[str], why: str, remedy: str
) -> None:
    message = _refused(_users(tmp_path, lines, head=head), why, remedy)
    assert ("columns] updated_at" in message) == ("updated_at" not in head and "missing" not in why)


def test_what_the_settings_refuse_says_which_setting_allows_it(tmp_path: Path) -> None:
    built = _users(tmp_path, [OLD, NEW], 'duplicates = "refuse"')
    message = _refused(built, 'sources.users.duplicates = "refuse"', "Leave one row", '"first"')
    assert "columns] updated_at" not in message


@pytest.mark.parametrize("reverse", [False, True])
def test_a_row_that_holds_from_a_later_day_counts_when_its_day_has_come(
    tmp_path: Path, reverse: bool
) -> None:
    """A consent of next year does not count today."""
    head = "user_id,consent_at,valid_from"
    lines = [
        "1,,2026-01-01T00:00:00Z",
        "1,2026-06-01T00:00:00Z,2026-06-01T12:00:00Z",
        "1,2027-06-01T00:00:00Z,2027-06-01T00:00:00Z",
        "1,2027-07-01T00:00:00Z,2027-06-01T00:00:00Z",
        "2,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z",
        "3,2027-01-01T00:00:00Z,2027-01-01T00:00:00Z",
    ]
    built = _users(tmp_path, lines[::-1] if reverse else lines, head=head)
    seen = {}
    for today in (date(2026, 5, 31), date(2026, 6, 1), date(2027, 1, 1)):
        with built.session() as session:
            loaded = load_users(session, today=today)
        assert loaded.read_rows == len(lines)
        seen[today] = dict(built.rows(USERS, "user_id, strftime(consent_at, '%Y-%m')"))
        notes = loaded.notes
        assert ("Of 1 users these are all" in " ".join(notes)) == (today.year == 2026)
    assert seen == {
        date(2026, 5, 31): {"1": None, "2": "2026-01"},
        date(2026, 6, 1): {"1": "2026-06", "2": "2026-01"},
        date(2027, 1, 1): {"1": "2026-06", "2": "2026-01", "3": "2027-01"},
    }
    with (
        built.session() as session,
        pytest.raises(SourceError, match="the newest have one `valid_from`"),
    ):
        load_users(session, today=date(2027, 6, 1))


def test_the_first_row_that_holds_counts_if_the_settings_say_the_first(tmp_path: Path) -> None:
    lines = ["1,later,2027-06-01T00:00:00Z", "1,now,2026-01-01T00:00:00Z"]
    built = _users(tmp_path, lines, 'duplicates = "first"', "user_id,region,valid_from")
    with built.session() as session:
        load_users(session, today=date(2026, 12, 31))
    assert built.rows(USERS, "region") == [("now",)]


def test_a_source_whose_rows_all_hold_from_later_days_is_refused(tmp_path: Path) -> None:
    built = _users(tmp_path, ["1,2027-01-02T00:00:00Z"], head="user_id,valid_from")
    with built.session() as session, pytest.raises(SourceError, match="a day after 2026-12-31"):
        load_users(session, today=date(2026, 12, 31))


@pytest.mark.parametrize("far", ["9999-12-31T00:00:00Z", "2200-01-01T00:00:00Z", "2026-12-31"])
def test_a_row_that_never_holds_does_not_count(tmp_path: Path, far: str) -> None:
    head, toml = "user_id,consent_at,valid_from", 'time_zone = "UTC"'
    lines = [f"1,2026-01-01T00:00:00Z,{far}", "2,,2026-01-01"]
    built = _users(tmp_path, lines, toml, head)
    with built.session() as session:
        load_users(session, today=date(2026, 3, 6))
    assert built.rows(USERS, "user_id, unread_columns") == [("2", None)]


def test_a_time_of_writing_in_the_future_is_none(tmp_path: Path) -> None:
    """With a wrong year a consent that was withdrawn would count for ever."""
    lines = [OLD.rpartition(",")[0] + ",2962-01-01T00:00:00Z", NEW]
    _refused(_users(tmp_path, lines), "the `updated_at` of some of them is missing", "the future")


@pytest.mark.parametrize("kind", ["sql", "path"])
def test_the_first_row_is_asked_for_where_rows_have_an_order(tmp_path: Path, kind: str) -> None:
    place = "[inputs.people]\npath = 'users.csv'\n[sources.users]\nsql = 'SELECT {} FROM people'\n"
    columns = {"sql": "user_id, phone", "path": "*"}[kind]
    (tmp_path / "users.csv").write_text("user_id,phone\n1,+12125550109\n1,+12125550101\n")
    built = World(tmp_path, f'{place.format(columns)}duplicates = "first"\n').fill()
    if kind == "path":
        built.load_users()
        assert built.rows(USERS, "phone") == [("+12125550109",)]
    else:
        _refused(built, "have no order: none of them is the first", "updated_at")


def test_what_a_later_day_will_refuse_is_told_before(tmp_path: Path) -> None:
    head = "user_id,region,valid_from"
    later = [f"1,{region},2026-03-09T12:00:00Z" for region in "ab"]
    built = _users(tmp_path, ["1,a,2026-01-01T00:00:00Z", *later], head=head)
    with built.session() as session:
        notes = load_users(session, today=date(2026, 3, 8)).notes
    assert "several rows of 1 id (1) differ" in " ".join(notes)
    with built.session() as session, pytest.raises(SourceError, match="one `valid_from`"):
        load_users(session, today=date(2026, 3, 9))
