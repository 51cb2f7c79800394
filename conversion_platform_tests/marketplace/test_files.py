"""Which files a path means: the one of that name, those of a glob, those with data in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion_platform.errors import SourceError
from conversion_platform.marketplace import EVENTS, REJECTED_USERS, USERS
from conversion_platform_tests.marketplace import world
from conversion_platform_tests.marketplace.world import World

SECRET = "u-secret"
EXTENSIONS = pytest.mark.parametrize("extension", ["csv", "parquet"])


def _user(file: Path, user: str = "u1", region: str = "here") -> Path:
    """Write a file with one user, below folders of any name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    plain = world.write(
        f"SELECT '{user}' AS user_id, '{region}' AS region",
        file.parent / f"plain{''.join(file.suffixes[-1:])}",
    )
    return plain.rename(file)


def _ids(folder: Path, path: str) -> list[str]:
    """Return the users that a path gives."""
    built = World(folder, f"[sources.users]\npath = '{path}'\n").fill()
    built.load_users()
    return [user for (user,) in built.rows(USERS, "user_id")]


@EXTENSIONS
def test_a_path_that_exists_is_that_file_whatever_characters_it_has(
    tmp_path: Path, extension: str
) -> None:
    names = ["users[1]", "users*", "users?", "users{1,2}", "users [a-z]!'s"]
    for name in names:
        _user(tmp_path / f"{name}.{extension}", name.replace("'", ""))
    for other in ("users1", "usersX", "users2", "users a!'s"):
        _user(tmp_path / f"{other}.{extension}", SECRET)
    for name in names:
        quoted = f'[sources.users]\npath = "{name}.{extension}"\n'
        built = World(tmp_path, quoted).fill()
        built.load_users()
        assert built.rows(USERS, "user_id") == [(name.replace("'", ""),)]


@EXTENSIONS
def test_a_folder_gives_both_of_two_files_of_which_one_looks_like_a_glob_for_the_other(
    tmp_path: Path, extension: str
) -> None:
    _user(tmp_path / f"users/users [1].{extension}", "u1")
    _user(tmp_path / f"users/users 1.{extension}", "u2")
    assert _ids(tmp_path, "users") == ["u1", "u2"]


def test_such_files_keep_their_own_numbers_of_rows_and_their_own_broken_lines(
    tmp_path: Path,
) -> None:
    built = World(tmp_path, '[sources.users]\npath = "users"\n').fill()
    (tmp_path / "users").mkdir()
    (tmp_path / "users/users [1].csv").write_text("user_id,region\nu1,a\nbroken\n,b\n")
    (tmp_path / "users/users 1.csv").write_text('user_id,region\n,"c"\nu2,d\nu3,e\n')
    assert built.load_users().read_rows == 6
    assert built.rows(USERS, "user_id") == [("u1",), ("u2",), ("u3",)]
    assert built.rows(REJECTED_USERS, "source, row_number, reason") == [
        ("users/users 1.csv", 1, "missing_id"),
        ("users/users [1].csv", 2, "broken_line"),
        ("users/users [1].csv", 3, "missing_id"),
    ]


@pytest.mark.parametrize("name", ["my [old] proj's", "what? all*", "{a,b} 100%20 #1"])
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_project_works_in_a_folder_whose_name_has_the_characters_of_a_glob(
    tmp_path: Path, name: str, form: str
) -> None:
    folder = tmp_path / name
    toml = f'[sources.events]\npath = "in/*/*.{form}"\n'
    (folder / "in/dt=2026-01-02").mkdir(parents=True)
    world.write(world.EVENTS, tmp_path / f"events.{form}").rename(
        folder / f"in/dt=2026-01-02/part.{form}"
    )
    built = World(folder, toml)
    for source, rows in (("users", world.USERS), ("jobs", world.JOBS)):
        world.write_parquet(rows, tmp_path / f"{source}.parquet")
        (folder / "source").mkdir(exist_ok=True)
        (tmp_path / f"{source}.parquet").rename(folder / f"source/{source}.parquet")
    _, _, loaded = built.load()
    assert loaded.accepted_rows == 3
    assert built.rows(EVENTS, "event_id") == [("a",), ("b",), ("c",)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("users/*.csv", ["a1", "b2"]),
        ("users/[ab]?.csv", ["a1", "b2"]),
        ("users/[!a]*.csv", ["b2"]),
        ("users/**/*.csv", ["a1", "b2", "c3", "d4"]),
        ("users/*/*.csv", ["c3"]),
        ("users/*/*/*.csv", ["d4"]),
        ("us*/a1.csv", ["a1"]),
        ("./users/*.csv", ["a1", "b2"]),
        ("users", ["a1", "b2", "c3", "d4"]),
        ("users/", ["a1", "b2", "c3", "d4"]),
        ("./users", ["a1", "b2", "c3", "d4"]),
    ],
)
def test_a_path_that_does_not_exist_is_a_glob_as_in_a_shell(
    tmp_path: Path, path: str, expected: list[str]
) -> None:
    for place in ("a1", "b2", "deep/c3", "deep/er/d4"):
        _user(tmp_path / f"users/{place}.csv", place.rpartition("/")[2])
    assert _ids(tmp_path, path) == expected


def test_a_list_of_paths_mixes_literal_ones_and_globs(tmp_path: Path) -> None:
    for name in ("a[1]", "a1", "b1", "b2"):
        _user(tmp_path / f"{name}.csv", name)
    built = World(tmp_path, '[sources.users]\npath = ["a[1].csv", "b*.csv"]\n').fill()
    built.load_users()
    assert built.rows(USERS, "user_id") == [("a[1]",), ("b1",), ("b2",)]


@pytest.mark.parametrize(
    "path",
    ["users", "users/", "users/**/*.csv", "users/*.csv", "./users/*.csv", "./users", "us*/*.csv"],
)
def test_hidden_and_temporary_parts_are_left_out(tmp_path: Path, path: str) -> None:
    _user(tmp_path / "users/part-0.csv", "u1")
    for hidden in (
        "_temporary/0/_temporary/attempt_1/part-0",
        ".hidden/part-0",
        "deep/_started/part-0",
        ".tmp",
        "_part-1",
    ):
        _user(tmp_path / f"users/{hidden}.csv", SECRET)
    (tmp_path / "users/_SUCCESS").write_text("")
    (tmp_path / "users/.part-0.csv.crc").write_bytes(b"crc")
    assert _ids(tmp_path, path) == ["u1"]


@pytest.mark.parametrize("path", ["_raw", "_raw/*.csv", "_raw/**/*.csv", "_r*/*.csv"])
def test_a_folder_that_is_named_is_read_and_what_is_temporary_in_it_is_not(
    tmp_path: Path, path: str
) -> None:
    _user(tmp_path / "_raw/part-0.csv", "u1")
    _user(tmp_path / "_raw/_temporary/0/part-0.csv", SECRET)
    _user(tmp_path / "_raw/_part-1.csv", SECRET)
    assert _ids(tmp_path, path) == ["u1"]


def test_a_project_below_a_hidden_folder_leaves_hidden_files_out(tmp_path: Path) -> None:
    _user(tmp_path / ".data/_in/users/part-0.csv", "u1")
    _user(tmp_path / ".data/_in/users/.tmp.csv", SECRET)
    _user(tmp_path / ".data/_in/users/_tmp.csv", SECRET)
    assert _ids(tmp_path / ".data/_in", "users/*.csv") == ["u1"]
    assert _ids(tmp_path, f"{tmp_path}/.data/_in/users/*.csv") == ["u1"]
    (tmp_path / "project").mkdir()
    assert _ids(tmp_path / "project", "../.data/_in/users/*.csv") == ["u1"]


@pytest.mark.parametrize("path", ["users/_new.csv", "users/_*.csv", "users/.new.csv"])
def test_a_hidden_file_is_read_if_the_path_says_so(tmp_path: Path, path: str) -> None:
    _user(tmp_path / "users/_new.csv", "u1")
    _user(tmp_path / "users/.new.csv", "u1")
    assert _ids(tmp_path, path) == ["u1"]


def test_a_hive_folder_may_start_with_an_underscore(tmp_path: Path) -> None:
    _user(tmp_path / "users/_day=2026-01-01/part.csv", "u1")
    assert _ids(tmp_path, "users") == ["u1"]
    assert _ids(tmp_path, "users/*/*.csv") == ["u1"]


@pytest.mark.parametrize("path", ["users", "users/**/*.csv", "users/*/*.csv", "users/day*/p*"])
def test_a_symlinked_folder_is_followed(tmp_path: Path, path: str) -> None:
    _user(tmp_path / "users/day1/part.csv", "u1")
    _user(tmp_path / "real/part.csv", "u2")
    (tmp_path / "users/day2").symlink_to("../real")
    assert _ids(tmp_path, path) == ["u1", "u2"]


def test_a_path_may_itself_be_a_link(tmp_path: Path) -> None:
    file = _user(tmp_path / "real/part.csv", "u1")
    (tmp_path / "users").symlink_to("real")
    (tmp_path / "current.csv").symlink_to(file)
    for path in ("users", "users/*.csv", "current.csv", "curr*.csv"):
        assert _ids(tmp_path, path) == ["u1"]


@pytest.mark.parametrize("path", ["users", "users/**/*.csv"])
def test_a_loop_of_links_ends(tmp_path: Path, path: str) -> None:
    _user(tmp_path / "users/part.csv", "u1")
    (tmp_path / "users/again").symlink_to(".")
    (tmp_path / "users/deep").mkdir()
    (tmp_path / "users/deep/above").symlink_to("../..")
    assert _ids(tmp_path, path) == ["u1"]


@pytest.mark.parametrize("path", ["users", "users/*/*/*"])
@EXTENSIONS
def test_the_value_of_a_hive_folder_is_decoded_and_may_be_missing(
    tmp_path: Path, extension: str, path: str
) -> None:
    folders = ["New%20York", "AC%2FDC", "__HIVE_DEFAULT_PARTITION__", "100%25", "S%C3%A3o", "a%3Db"]
    for number, folder in enumerate(folders):
        target = tmp_path / f"users/metro={folder}/month=0{number}/part.{extension}"
        target.parent.mkdir(parents=True)
        world.write(f"SELECT {number} AS user_id", tmp_path / f"one.{extension}").rename(target)
    toml = f'[sources.users]\npath = "{path}"\ncolumns = {{ region = "metro" }}\n'
    built = World(tmp_path, toml).fill()
    built.load_users()
    assert built.rows(USERS, "user_id, region, month") == [
        ("0", "New York", "00"),
        ("1", "AC/DC", "01"),
        ("2", None, "02"),
        ("3", "100%", "03"),
        ("4", "São", "04"),
        ("5", "a=b", "05"),
    ]


@EXTENSIONS
def test_a_required_column_may_be_the_value_of_a_hive_folder(
    tmp_path: Path, extension: str
) -> None:
    target = tmp_path / f"source/users/user_id=u1/part.{extension}"
    target.parent.mkdir(parents=True)
    world.write("SELECT 'north' AS region", tmp_path / f"one.{extension}").rename(target)
    built = World(tmp_path, '[sources.users]\npath = "source/users"\n').fill()
    built.load_users()
    assert built.rows(USERS, "user_id, region") == [("u1", "north")]


def test_sql_that_reads_a_file_which_is_not_there_names_its_setting(tmp_path: Path) -> None:
    sql = "SELECT 1 AS user_id FROM read_csv('clicks.csv')"
    built = World(tmp_path, f'[sources.users]\nsql = "{sql}"\n').fill()
    with pytest.raises(SourceError, match=r"sources\.users\.sql.*clicks\.csv"):
        built.load_users()
    events = "SELECT * FROM read_csv('clicks.csv')"
    built = World(tmp_path, f'[sources.events]\nsql = "{events}"\n').fill()
    with pytest.raises(SourceError, match=r"sources\.events\.sql.*clicks\.csv"):
        built.load()


@pytest.mark.parametrize(
    "below", ["", "/", "/tier=1", "/tier=1/", "/tier=1/*", "/*/part.*", "/tier=1/part.{}"]
)
@EXTENSIONS
def test_the_hive_folders_that_a_path_names_itself_are_columns_too(
    tmp_path: Path, extension: str, below: str
) -> None:
    _user(tmp_path / f"users/metro=New%20York/tier=1/part.{extension}")
    path = f"users/metro=New%20York{below.format(extension)}"
    toml = f'[sources.users]\npath = "{path}"\ncolumns = {{ state = "metro" }}\n'
    built = World(tmp_path, toml).fill()
    built.load_users()
    assert built.rows(USERS, "user_id, state") == [("u1", "New York")]


@pytest.mark.parametrize("folder", ["region=there", "region=__HIVE_DEFAULT_PARTITION__"])
@EXTENSIONS
def test_a_column_of_a_file_counts_more_than_the_folder_of_that_name(
    tmp_path: Path, extension: str, folder: str
) -> None:
    _user(tmp_path / f"users/{folder}/part.{extension}", "u1", "here")
    built = World(tmp_path, '[sources.users]\npath = "users"\n').fill()
    built.load_users()
    assert built.rows(USERS, "user_id, region") == [("u1", "here")]


@EXTENSIONS
def test_files_that_say_a_folders_column_themselves_may_order_their_columns_otherwise(
    tmp_path: Path, extension: str
) -> None:
    for number, columns in enumerate(
        ("'u1' AS user_id, 'a' AS region", "'b' AS region, 'u2' AS user_id")
    ):
        target = tmp_path / f"users/region=west/part-{number}.{extension}"
        target.parent.mkdir(parents=True, exist_ok=True)
        world.write(f"SELECT {columns}", tmp_path / f"one.{extension}").rename(target)
    built = World(tmp_path, '[sources.users]\npath = "users"\n').fill()
    built.load_users()
    assert built.rows(USERS, "user_id, region") == [("u1", "a"), ("u2", "b")]


@EXTENSIONS
def test_a_folder_of_the_same_name_in_snake_case_is_the_same_column(
    tmp_path: Path, extension: str
) -> None:
    for place, columns in (
        ("a", "'u1' AS user_id, 'day' AS shift_type"),
        ("b/Shift Type=night/c", "'u2' AS user_id"),
    ):
        target = tmp_path / f"users/{place}.{extension}"
        target.parent.mkdir(parents=True, exist_ok=True)
        world.write(f"SELECT {columns}", tmp_path / f"one.{extension}").rename(target)
    toml = '[sources.users]\npath = "users"\ncolumns = {shift = "shift_type"}\n'
    built = World(tmp_path, toml).fill()
    built.load_users()
    assert built.rows(USERS, "user_id, shift") == [("u1", "day"), ("u2", "night")]
