"""Which table holds which column of a source, and what may become a feature."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from conversion_platform.errors import SourceError
from conversion_platform.lake import Session, Table
from conversion_platform.marketplace import (
    ATTRIBUTES,
    JOBS,
    JOBS_CONTACTS,
    REJECTED_USERS,
    REJECTED_USERS_VALUES,
    TABLES,
    USERS,
    USERS_CONTACTS,
    USERS_PROTECTED,
    check_sources,
    infer_attributes,
    known_kinds,
    load_users,
    render,
)
from conversion_platform.marketplace.headers import snake
from conversion_platform_tests.marketplace.world import World

PEOPLE = """
SELECT i AS user_id, '+1212555010' || i % 10 AS phone, 40.5 AS latitude, -73.5 AS longitude,
    'Ada ' || i AS "First Name", if(i % 2 = 0, 'f', 'm') AS gender, i % 3 AS level,
    i % 2 AS vip FROM range(9) t(i)
UNION ALL SELECT NULL, '+12125550188', 1, 1, 'Nobody Known', 'm', 1, 1"""
JOBS_OF_PEOPLE = (
    "SELECT i AS job_id, 30.5 AS latitude, 'Ada Poe' AS recruiter, i % 2 AS urgent "
    "FROM range(9) t(i)"
)


def _world(folder: Path, users: str = "", jobs: str = "", further: str = "") -> World:
    toml = (
        f'[sources.users]\npath = "source/users.parquet"\nattributes = [{users}]\n'
        f'[sources.jobs]\npath = "source/jobs.parquet"\nattributes = [{jobs}]\n{further}'
    )
    return World(folder, toml).fill(users=PEOPLE, jobs=JOBS_OF_PEOPLE)


def _columns(built: World, table: Table) -> set[str]:
    return set(built.columns(table))


def test_what_nobody_listed_lies_apart(tmp_path: Path) -> None:
    built = _world(tmp_path, '"vip"', '"urgent"')
    built.attributes()
    apart = {"user_id", "phone", "postal_code", "consent_text", "latitude", "longitude"}
    assert _columns(built, USERS_CONTACTS) == {*apart, "first_name", "level"}
    assert _columns(built, USERS_PROTECTED) == {"user_id", "gender"}
    assert not _columns(built, USERS) & {*apart, "first_name", "level", "gender"} - {"user_id"}
    assert "vip" in _columns(built, USERS)
    assert {"urgent", "latitude"} < _columns(built, JOBS)
    assert _columns(built, JOBS_CONTACTS) == {"job_id", "recruiter"}
    assert len(built.rows(USERS, "phone, first_name, gender, vip")) == 9


def test_personal_tables_have_files_of_their_own_for_their_owner_alone(tmp_path: Path) -> None:
    built = _world(tmp_path)
    built.load()
    built.load()  # rewriting changes no mode
    with built.session() as session:
        files = {table.name: session.lake.files(table) for table in TABLES}
    for table in TABLES:
        for file in map(Path, files[table.name]):
            apart = file.is_relative_to(tmp_path / "lake/personal")
            private = stat.S_IMODE(file.stat().st_mode) == 0o600
            assert (apart, private) == (table.personal, table.personal), file
    assert sum(table.personal for table in TABLES) == 9


def test_rejects_are_open_and_what_they_say_is_not(tmp_path: Path) -> None:
    built = _world(tmp_path)
    loaded = built.load_users()
    assert (loaded.read_rows, loaded.accepted_rows, loaded.rejected_rows) == (10, 9, 1)
    assert built.columns(REJECTED_USERS) == ["source", "row_number", "reason", "column_name"]
    ((row,),) = built.rows(REJECTED_USERS, "row_json")
    assert "Nobody Known" in row
    with built.session() as session:
        assert _count(session, REJECTED_USERS) == _count(session, REJECTED_USERS_VALUES) == 1


def _count(session: Session, table: Table) -> int:
    found = session.con.execute(f"SELECT count(*) FROM {session.lake.select(table)}").fetchall()
    return int(found[0][0])


def test_rejected_rows_without_a_number_are_told_apart_by_a_running_one(tmp_path: Path) -> None:
    toml = (
        '[inputs.people]\npath = "people.parquet"\n'
        '[sources.users]\nsql = "SELECT * FROM people WHERE true"\n'
    )
    built = World(tmp_path, toml).fill()
    from conversion_platform_tests.marketplace.world import write

    rows = "SELECT unnest(['1', NULL, NULL]) AS user_id, unnest(['a', 'b', 'b']) AS region"
    write(rows, tmp_path / "people.parquet")
    built.load_users()
    joined = built.rows(REJECTED_USERS, "row_number, row_json")
    assert len(joined) == 2 and len({number for number, _ in joined}) == 2


@pytest.mark.parametrize("name", ["gender", "Gender"])
def test_a_protected_attribute_is_no_feature_unless_the_settings_allow_it(
    tmp_path: Path, name: str
) -> None:
    built = _world(tmp_path, f'"{name}"')
    with pytest.raises(SourceError, match=r"sources\.users\.attributes lists protected") as caught:
        built.load_users()
    assert "features.allow_protected_features" in caught.value.remedy
    allowed = f'[features]\nallow_protected_features = ["{name}"]\n'
    built = _world(tmp_path, f'"{name}"', further=allowed)
    built.attributes()
    assert built.rows(ATTRIBUTES, "used, privacy", "column_name = 'gender' DESC")[0] == (
        True,
        "protected",
    )
    assert "gender" in _columns(built, USERS) & _columns(built, USERS_PROTECTED)


@pytest.mark.parametrize(
    "name",
    [
        *("Age", "Candidate.Race", "maritalStatus", "SEX CODE 2"),
        *("ge\u200bnder", "se\u00adx", "G\u0435nder", "G\u0395\u039dDER", "\u0455\u0435\u0445"),
        *("ge\ufe0fnder", "ge\u3164nder", "g\u0308ender"),
    ],
)
def test_a_protected_attribute_is_refused_by_whatever_name_a_header_gives_it(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "people.csv").write_text(f"user_id,age,{name}\n1,40,2\n2,50,3\n")
    toml = f'[sources.users]\npath = "people.csv"\nattributes = ["{name}"]\n'
    built = World(tmp_path, toml).fill()
    with pytest.raises(SourceError, match=r"sources\.users\.attributes lists protected"):
        built.load_users()


@pytest.mark.parametrize(
    ("column", "given"),
    [("shift", "gender"), ("desired_pay", "age"), ("region", "Gender"), ("state", "ge\u200bnder")],
)
def test_a_protected_attribute_is_no_contract_column_unless_the_settings_allow_it(
    tmp_path: Path, column: str, given: str
) -> None:
    (tmp_path / "people.csv").write_text(f"user_id,{given}\n1,40\n2,50\n", encoding="utf-8")
    toml = f'[sources.users]\npath = "people.csv"\ncolumns = {{ {column} = "{given}" }}\n'
    built = World(tmp_path, toml).fill()
    with pytest.raises(SourceError, match=rf"sources\.users\.columns\.{column} = ") as caught:
        built.load_users()
    assert "features.allow_protected_features = [" in caught.value.remedy
    allowed = f'[features]\nallow_protected_features = ["{given}"]\n'
    assert World(tmp_path, toml + allowed).load_users().accepted_rows == 2


def test_a_personal_column_that_is_mapped_to_an_open_one_gets_a_warning(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Contact ID,email,tel\n1,a@b.org,1\n2,c@d.org,2\n")
    columns = 'user_id = "Contact ID", region = "email", phone = "tel"'
    toml = f'[sources.users]\npath = "people.csv"\ncolumns = {{ {columns} }}\n'
    (note,) = World(tmp_path, toml).fill().load_users().notes
    assert note.startswith("sources.users.columns.region maps a column that looks personal")
    assert "a@b.org" not in note


def test_an_allowance_for_a_column_that_does_not_exist_names_the_nearest(tmp_path: Path) -> None:
    built = _world(tmp_path, further='[features]\nallow_protected_features = ["gendr"]\n')
    with pytest.raises(SourceError, match=r"allow_protected_features: .* Did you mean `gender`"):
        built.load_users()


def test_a_list_ready_to_paste_is_proposed_and_the_rest_named_with_its_reason(
    tmp_path: Path,
) -> None:
    screen = " ".join(render(check_sources(_world(tmp_path).settings)).split())
    assert '[sources.users] attributes = ["level", "vip"]' in screen
    assert '[sources.jobs] attributes = ["urgent"]' in screen
    assert "personal: users.first_name (its name says" in screen
    assert "jobs.recruiter (its name says a person)" in screen
    assert "protected: users.gender (its name says gender)" in screen
    assert "Ada" not in screen and "Nobody" not in screen


def test_a_list_that_holds_everything_is_not_proposed_again(tmp_path: Path) -> None:
    report = check_sources(_world(tmp_path, '"level", "vip"', '"urgent"').settings)
    assert report.proposals == ()


def test_a_listed_column_that_looks_personal_is_used_with_a_warning(tmp_path: Path) -> None:
    built = _world(tmp_path, '"First Name"')
    screen = " ".join(render(check_sources(built.settings)).split())
    assert "sources.users.attributes lists first_name, which looks personal" in screen
    built.attributes()
    assert ("first_name", True) in built.rows(ATTRIBUTES, "column_name, used")


def test_a_listed_column_that_a_model_knows_and_the_source_has_no_more_stops_no_day(
    tmp_path: Path,
) -> None:
    built = _world(tmp_path, '"vip"')
    built.attributes()
    lost = f"SELECT * EXCLUDE (vip) FROM ({PEOPLE})"
    built.fill(users=lost, jobs=JOBS_OF_PEOPLE)
    for _ in range(2):  # the next day remembers it too
        with built.session() as session:
            loaded = load_users(session, known_kinds(session, "users"))
            infer_attributes(session)
        assert loaded.notes == (
            "sources.users.attributes lists vip, which the source has no more: it is missing.",
        )
    with pytest.raises(SourceError, match="no further column is named `vip`"):
        built.load_users()


OF_OTHER_LANGUAGES = {
    **{"Vorname": "Jürgen", "nom": "Lefebvre", "apellidos": "García", "geboortedatum": "3 mei 71"},
    **{"indirizzo": "Via Roma 1", "Telemóvel": "912 345", "Miejscowość": "Łódź", "Namn": "Björn"},
}


def test_a_personal_column_in_another_language_reaches_no_proposal_no_screen_and_no_open_table(
    tmp_path: Path,
) -> None:
    """Few different values would make a category of each that is not known as personal."""
    cells = ",".join(OF_OTHER_LANGUAGES.values())
    lines = [f"{n},{n % 3},{cells if n % 2 else cells.lower()}" for n in range(40)]
    header = f"user_id,level,{','.join(OF_OTHER_LANGUAGES)}"
    text = "\n".join([header, *lines, f"41,1,{cells},surplus", f",1,{cells}"])
    (tmp_path / "users.csv").write_text(f"{text}\n")
    built = World(tmp_path, '[sources.users]\npath = "users.csv"\n').fill()
    report = check_sources(built.settings)
    assert report.proposals == ('[sources.users] attributes = ["level"]',)
    assert [one.column_name for one in report.attributes if one.used] == []
    screen = render(report)
    assert [cell for cell in OF_OTHER_LANGUAGES.values() if cell.lower() in screen.lower()] == []
    built.attributes()
    assert _columns(built, USERS).isdisjoint(map(snake, OF_OTHER_LANGUAGES))
    assert {snake(name) for name in OF_OTHER_LANGUAGES} < _columns(built, USERS_CONTACTS)


def test_cells_that_hold_several_values_are_not_proposed_with_the_reason(tmp_path: Path) -> None:
    """A struct, a map and JSON may say anything of a person; the items of a list are looked at."""
    users = """
        SELECT i AS user_id, i % 3 AS level, {'who': 'Ada', 'n': i % 2} AS one,
            MAP {'who': if(i % 2 = 0, 'Ada', 'Bo')} AS two,
            if(i % 2 = 0, '{"who": "Ada"}', '[1]') AS three,
            [if(i % 2 = 0, 'day', 'night')] AS four, ['day', 'call 212 555 011' || i % 9] AS five
        FROM range(40) t(i)"""
    built = World(tmp_path).fill(users=users)
    report = check_sources(built.settings)
    assert report.proposals == ('[sources.users] attributes = ["level", "four"]',)
    screen = " ".join(render(report).split())
    for name in ("one", "two", "three"):
        assert f"users.{name} (its cells are JSON or structs" in screen
    assert "users.five (its values look like phone numbers)" in screen
    assert "Ada" not in screen and "555" not in screen
