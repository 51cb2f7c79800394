"""What a day sees of users that change at the source."""

from __future__ import annotations

import json
import re
import tempfile
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from conversion_platform.days import DayRange
from conversion_platform.errors import NotReadyError, SourceError
from conversion_platform.lake import Part
from conversion_platform.marketplace import (
    EVENTS,
    USERS,
    USERS_HISTORY,
    Captured,
    as_of,
    attribute_types,
    capture,
    history,
    load_users,
)
from conversion_platform.marketplace.history import USERS_VERSIONS
from conversion_platform.marketplace.mapping import OF_HISTORY
from conversion_platform_tests.marketplace.history.world import (
    Regions,
    Told,
    day,
    files,
    keep,
    opened,
    seen,
    show,
)
from conversion_platform_tests.marketplace.world import World

USERS_OF_A_DAY = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xyz"))
CAPTURES = st.dictionaries(st.integers(0, 12), USERS_OF_A_DAY, min_size=1, max_size=6)


def test_the_first_snapshot_of_a_day_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        keep(session, 0, {"a": "x"})
        before = files(session)
        again = keep(session, 0, {"a": "y", "b": "z"})
        assert (again.written, again.changes) == ((), None)
        assert files(session) == before
        assert seen(session, 0) == {"a": "x"}


def test_days_before_the_first_snapshot_see_it(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        keep(session, 5, {"a": "x"})
        keep(session, 6, {"a": "y"})
        assert [seen(session, number) for number in (-400, 4, 5, 6, 400)] == [
            {"a": "x"}, {"a": "x"}, {"a": "x"}, {"a": "y"}, {"a": "y"},
        ]  # fmt: skip


def test_a_change_counts_from_the_day_that_captured_it_and_a_new_user_from_the_day_after_the_last(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as session:
        keep(session, 0, {"a": "x"})
        keep(session, 4, {"a": "y", "b": "z"})
        assert seen(session, 0) == {"a": "x"}
        assert seen(session, 3) == {"a": "x", "b": "z"}
        assert seen(session, 4) == {"a": "y", "b": "z"}


def test_a_day_before_the_newest_snapshot_gets_none(tmp_path: Path) -> None:
    """What the source shows now was not so on that day."""
    with opened(tmp_path) as session:
        keep(session, 4, {"a": "x"})
        assert keep(session, 2, {"a": "y"}).written == ()
        assert seen(session, 2) == {"a": "x"}


def test_a_user_that_is_gone_is_seen_by_the_days_before(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        keep(session, 0, {"a": "x", "b": "y"})
        gone = keep(session, 1, {"a": "x"})
        back = keep(session, 2, {"a": "x", "b": "y"})
        assert [seen(session, number).get("b") for number in range(3)] == ["y", None, "y"]
    assert (gone.changes, back.changes) == ({"gone": 1}, {"new": 1})
    assert "1 rows no longer shown" in gone.note()
    assert "The days 2026-03-01 to 2026-03-01 were built" in gone.note()
    assert back.note() == ""


def test_a_corrected_start_names_the_days_that_were_built_with_the_earlier_one(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as session:
        keep(session, 0, {"a": "x"})
        show(session, {"a": "x"})
        users = session.lake.select(USERS)
        later = f"SELECT * REPLACE (created_at + INTERVAL 3 DAY AS created_at) FROM {users}"
        session.con.execute(f"CREATE TEMP TABLE later AS {later}")
        session.lake.write(session.con, USERS, "FROM later")
        corrected = capture(session, USERS_HISTORY, DayRange.of(day(9)))
    assert corrected.changes == {"corrected": 1}
    assert "1 rows corrected" in corrected.note()
    assert "The days 2026-03-01 to 2026-03-01 were built" in corrected.note()
    assert "--refresh-snapshot" in corrected.note()


def test_a_correction_names_days_that_were_built_and_snapshots_that_can_be_replaced(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as session:
        for number in (3, 6, 7, 8):
            keep(session, number, {"a": "x", "b": "x"})
        for number in (0, 1, 9):
            session.lake.write(session.con, EVENTS, EVENTS.empty_select(), day(number))
        note = keep(session, 12, {"a": "x"}).note()
        assert "The days 2026-03-01 to 2026-03-10 were built" in note
        assert "the snapshots of 2026-03-04, 2026-03-07 to 2026-03-09." in note
        for number in (3, 6, 7, 8):
            keep(session, number, {"a": "x"}, refresh=True)


def test_a_start_that_moves_back_names_the_days_since_it(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        for number in (0, 5):
            session.lake.write(session.con, EVENTS, EVENTS.empty_select(), day(number))
        told: Told = {"a": [(4, "x")]}
        keep(session, 5, {"a": "x"}, told)
        found = keep(session, 6, {"a": "x"}, {"a": [(0, "x")]})
    assert "The days 2026-03-01 to 2026-03-06 were built" in found.note()


def test_the_days_of_a_range_see_what_days_that_run_one_by_one_see(tmp_path: Path) -> None:
    seen_by = {}
    for name, runs in (
        ("at once", [DayRange(day(0), day(3)), DayRange(day(4), day(9))]),
        ("one by one", [DayRange.of(day(number)) for number in range(10)]),
    ):
        (tmp_path / name).mkdir()
        with opened(tmp_path / name) as session:
            for days in runs:
                show(session, {"a": "x"} if days.last < day(4) else {"a": "y", "b": "z"})
                capture(session, USERS_HISTORY, days)
            show(session, {"a": "w"})
            assert capture(session, USERS_HISTORY, DayRange.of(day(6))).written == ()
            seen_by[name] = [seen(session, number) for number in range(-1, 12)]
    assert seen_by["at once"] == seen_by["one by one"]


def test_a_snapshot_of_nothing_new_has_no_row(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        keep(session, 0, {"a": "x", "b": "y"})
        same = keep(session, 1, {"b": "y", "a": "x"})
    assert (same.written[0].rows, same.changes, same.note()) == (0, {}, "")


def test_a_snapshot_that_is_replaced_changes_its_day_and_no_later_one(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        keep(session, 0, {"a": "x", "b": "x"})
        keep(session, 2, {"a": "y", "b": "x", "c": "x"})
        keep(session, 4, {"a": "y", "c": "z"})
        later = [seen(session, number) for number in (4, 5, 9)]
        keep(session, 2, {"b": "z", "d": "z"}, refresh=True)
        assert seen(session, 2) == {"b": "z", "d": "z"}
        assert [seen(session, number) for number in (4, 5, 9)] == later
        assert seen(session, 0) == {"a": "x", "b": "x"}


def test_only_a_day_that_has_a_snapshot_can_get_another(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        keep(session, 0, {"a": "x"})
        with pytest.raises(NotReadyError, match="no snapshot of 2026-03-03") as caught:
            keep(session, 2, {"a": "y"}, refresh=True)
        assert "sees that of 2026-03-01: give --refresh-snapshot 2026-03-01" in str(caught.value)
        with pytest.raises(NotReadyError, match="--refresh-snapshot 2026-03-01"):
            keep(session, -3, {"a": "y"}, refresh=True)


def test_an_attribute_that_changes_its_kind_is_missing_where_it_does_not_fit(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as session:
        for number, value in enumerate(("'3'", "'many'", "4")):
            session.lake.write(session.con, USERS, _with_attribute(value))
            capture(session, USERS_HISTORY, DayRange.of(day(number)))
        now = attribute_types(session, USERS_HISTORY)
        assert now == {"experience": "INTEGER"}
        found = [
            session.con.execute(
                f"SELECT experience FROM {as_of(session.lake, USERS_HISTORY, day(number), now)}"
            ).fetchall()
            for number in range(3)
        ]
        assert found == [[(3,)], [(None,)], [(4,)]]


def test_days_before_an_attribute_was_captured_see_the_first_value_that_is_known_of_each_user(
    tmp_path: Path,
) -> None:
    shown = [{"a": "1", "b": "NULL"}, {"a": "2", "b": "NULL"}, {"a": "2", "b": "5"}]
    with opened(tmp_path) as session:
        keep(session, 0, {"a": "x", "b": "x"})
        keep(session, 1, {"a": "y", "b": "x"})
        for number, values in enumerate(shown, 2):
            rows = ", ".join(f"('{user}', {value})" for user, value in values.items())
            own = f"(SELECT * FROM (VALUES {rows}) AS t(user_id, experience))"
            query = f"SELECT * FROM {own} UNION ALL BY NAME {USERS.empty_select()}"
            session.lake.write(session.con, USERS, query)
            capture(session, USERS_HISTORY, DayRange.of(day(number)))
        found = [
            dict(session.con.execute(f"SELECT user_id, experience FROM {seen_by}").fetchall())
            for number in range(5)
            for seen_by in [
                as_of(session.lake, USERS_HISTORY, day(number), {"experience": "INTEGER"})
            ]
        ]
    assert [one["a"] for one in found] == [1, 1, 1, 2, 2]
    assert [one["b"] for one in found] == [5, 5, None, None, 5]


def test_attributes_may_have_the_names_that_history_uses(tmp_path: Path) -> None:
    folder = Path(history.__file__).parent / "sql"
    used = {
        name
        for file in folder.iterdir()
        for name in re.findall(r"\bAS ([a-z]\w*)\b(?! \()", file.read_text())
        if name not in ("NOT", "MATERIALIZED")
    }
    assert used <= OF_HISTORY
    names = sorted(OF_HISTORY - {"valid_from"})
    columns = ", ".join(f"unnest(['x', 'y']) AS {name}" for name in names)
    users = f'[sources.users]\npath = "source/users.parquet"\nattributes = {json.dumps(names)}\n'
    built = World(tmp_path, users)
    built.fill(users=f"SELECT unnest(['a', 'b']) AS user_id, {columns}").load()
    with built.session() as session:
        kinds = attribute_types(session, USERS_HISTORY)
        rows = as_of(session.lake, USERS_HISTORY, day(0), kinds)
        found = session.con.execute(
            f"SELECT {', '.join(f'{name}_2' for name in names)} FROM {rows} ORDER BY user_id"
        ).fetchall()
    assert found == [("x",) * len(names), ("y",) * len(names)]


def _with_attribute(value: str) -> str:
    own = f"(SELECT 'a' AS user_id, {value} AS experience)"
    return f"SELECT * FROM {own} UNION ALL BY NAME {USERS.empty_select()}"


def test_a_source_that_tells_versions_gives_the_past(tmp_path: Path) -> None:
    told: Told = {"a": [(0, "x"), (3, "y"), (7, "z")]}
    with opened(tmp_path) as session:
        keep(session, 5, {"a": "z", "b": "x"}, told)
        assert [seen(session, number)["a"] for number in (-9, 0, 2, 3, 5, 6, 7)] == [
            "x", "x", "x", "y", "y", "y", "y",
        ]  # fmt: skip
        keep(session, 8, {"a": "z", "b": "x"}, told)
        assert [seen(session, number)["a"] for number in (5, 6, 7, 8)] == ["y", "y", "z", "z"]


def test_a_version_of_the_past_that_comes_later_is_noticed_and_changes_no_captured_day(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as session:
        keep(session, 5, {"a": "y"}, {"a": [(0, "x"), (3, "y")]})
        found = keep(session, 6, {"a": "w"}, {"a": [(0, "x"), (2, "w")]})
        assert [seen(session, number)["a"] for number in (1, 3, 5, 6)] == ["x", "y", "y", "w"]
    assert found.changes == {"corrected": 1}


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_of_several_versions_of_one_day_the_one_told_last_counts(
    tmp_path: Path, direction: str
) -> None:
    """Of 20,000 users: DuckDB leaves a few rows of equal keys in another order than it read."""
    hours = [21, 9, 15, 11, 3]
    with opened(tmp_path) as session:
        versions = _versions_within_a_day(20_000, hours)
        query = f"SELECT * FROM ({versions}) ORDER BY user_id, told_at {direction}"
        session.lake.write_parts(session.con, [Part(USERS_VERSIONS, query, ordered=True)])
        newest = f"SELECT user_id, region, created_at FROM ({versions}) WHERE region = '21'"
        session.lake.write(
            session.con, USERS, newest + f" UNION ALL BY NAME {USERS.empty_select()}"
        )
        capture(session, USERS_HISTORY, DayRange.of(day(9)))
        assert set(seen(session, 0).values()) == {"first"}
        assert set(seen(session, 3).values()) == {"21"}


def _versions_within_a_day(users: int, hours: list[int]) -> str:
    told = ", ".join(f"(TIMESTAMPTZ '2026-03-03 {hour:02d}:00:00+00', '{hour}')" for hour in hours)
    return (
        "SELECT CAST(i AS VARCHAR) AS user_id, region, told_at, "
        "TIMESTAMPTZ '2026-02-01 00:00:00+00' AS created_at "
        f"FROM range({users}) AS u(i), (VALUES {told}, "
        "(TIMESTAMPTZ '2026-02-01 00:00:00+00', 'first')) AS v(told_at, region) "
        f"UNION ALL BY NAME {USERS_VERSIONS.empty_select()}"
    )


@hypothesis_settings(max_examples=15)
@given(CAPTURES)
def test_days_see_what_a_plain_reading_of_the_snapshots_says(captures: dict[int, Regions]) -> None:
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as session:
        for number in sorted(captures):
            keep(session, number, captures[number])
        for number in (-3, *range(15)):
            assert seen(session, number) == _expected(captures, number)


def _expected(captures: dict[int, Regions], number: int) -> dict[str, str]:
    """The snapshot before, and who was not in it, as the next one shows them."""
    before = max((one for one in captures if one <= number), default=None)
    following = min((one for one in captures if one >= number), default=None)
    known = dict(captures[before]) if before is not None else {}
    new = dict(captures[following]) if following is not None else {}
    return {**new, **known} if before is None or following else known if following is None else new


@hypothesis_settings(max_examples=12)
@given(
    st.dictionaries(
        st.sampled_from("abc"),
        st.dictionaries(st.integers(-2, 12), st.sampled_from("xyz"), min_size=1, max_size=4),
        min_size=1,
    ),
    st.sets(st.integers(0, 11), max_size=4),
)
def test_a_source_with_a_whole_history_is_seen_as_it_says_however_its_days_are_run(
    versions: dict[str, dict[int, str]], cuts: set[int]
) -> None:
    ends = [*sorted(cuts), 12]
    runs = [DayRange(day(a + 1), day(b)) for a, b in pairwise([-1, *ends]) if a < b]
    told = {user: sorted(dated.items()) for user, dated in versions.items()}
    newest = {user: dated[-1][1] for user, dated in told.items()}
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as session:
        for days in runs:
            show(session, newest, told)
            capture(session, USERS_HISTORY, days)
        first = runs[0].first
        for number in range(-3, 13):
            expected = {}
            for user, dated in told.items():
                holding = [region for since, region in dated if since <= number]
                if holding or day(dated[0][0]) <= first:
                    expected[user] = (holding or [dated[0][1]])[-1]
            assert seen(session, number) == expected, number


def test_a_snapshot_that_is_replaced_keeps_what_counts_from_days_between(tmp_path: Path) -> None:
    """The next one is written whole: it has a new user of a day before it, and later versions."""
    told: Told = {"a": [(0, "x"), (7, "y")], "b": [(0, "x")]}
    with opened(tmp_path) as session:
        keep(session, 0, {"a": "x", "b": "x"}, told)
        keep(session, 2, {"a": "x", "b": "x"}, told)
        show(session, {"a": "y", "b": "x", "c": "x"}, told)
        capture(session, USERS_HISTORY, DayRange(day(5), day(9)))
        days = (3, 4, 5, 6, 7, 9, 12)
        before = [seen(session, number) for number in days]
        assert (before[0]["c"], before[3]["a"], before[4]["a"]) == ("x", "x", "y")
        keep(session, 2, {"a": "w", "b": "x"}, refresh=True)
        after = [seen(session, number) for number in days]
        assert after[2:] == before[2:]
        assert [one["c"] for one in after[:2]] == ["x", "x"]
        assert after[0]["a"] == "w"


def test_the_first_version_counts_from_when_the_user_joined(tmp_path: Path) -> None:
    """The source wrote the row later: who is new exists from the first moment on."""
    with opened(tmp_path) as session:
        keep(session, -9, {"b": "x"})
        show(session, {"a": "y", "b": "x"}, {"a": [(3, "x"), (5, "y")]})
        for table in (USERS, USERS_VERSIONS):
            joined = f"if(user_id = 'a', TIMESTAMPTZ '{day(0)} 09:00:00+00', created_at)"
            query = f"SELECT * REPLACE ({joined} AS created_at) FROM {session.lake.select(table)}"
            session.con.execute(f"CREATE OR REPLACE TEMP TABLE earlier AS {query}")
            session.lake.write(session.con, table, "FROM earlier")
        capture(session, USERS_HISTORY, DayRange.of(day(9)))
        found = [seen(session, number).get("a") for number in (-1, 0, 2, 3, 4, 5)]
        assert found == [None, "x", "x", "x", "x", "y"]


def _exports(folder: Path, days: dict[int, str], toml: str = "") -> World:
    """Daily exports of users, each a letter, whose region is the day before the 4th, else `z`."""
    for number, users in days.items():
        target = folder / f"users/dt=2026-01-{number:02d}/all.csv"
        target.parent.mkdir(parents=True)
        rows = "".join(f"{user},{number if number < 4 else 'z'}\n" for user in users)
        target.write_text(f"user_id,region\n{rows}")
    return World(folder, f'[sources.users]\npath = "users"\n{toml}').fill()


def _exported(built: World, first: int, last: int) -> tuple[Captured, dict[int, str]]:
    with built.session() as session:
        load_users(session)
        captured = capture(session, USERS_HISTORY, january(first, last))
        users = {
            number: "".join(sorted(user for user, _ in session.con.execute(
                "SELECT user_id, region FROM "
                + as_of(session.lake, USERS_HISTORY, january(number, number).first)
            ).fetchall()))
            for number in range(1, 10)
        }  # fmt: skip
    return captured, users


def january(first: int, last: int) -> DayRange:
    return DayRange(date(2026, 1, first), date(2026, 1, last))


def test_who_is_not_in_the_newest_daily_export_is_shown_no_more(tmp_path: Path) -> None:
    built = _exports(tmp_path, {1: "abcd", 2: "abd", 4: "ad", 5: "ae"})
    loaded = built.load_users()
    assert [user for (user,) in built.rows(USERS, "user_id")] == ["a", "e"]
    assert loaded.read_rows == 11
    assert (
        "3 users of earlier `dt=` folders are not in the newest one (2026-01-05)"
        in (loaded.notes[0])
    )
    _, seen_by = _exported(built, 1, 5)
    assert [seen_by[number] for number in range(1, 7)] == [
        "abcde", "abde", "abde", "ade", "ae", "ae",
    ]  # fmt: skip


def test_daily_exports_are_seen_alike_however_their_days_are_run(tmp_path: Path) -> None:
    days = {1: "abcd", 2: "abd", 4: "ad", 5: "ad", 6: "d"}
    at_once = _exported(_exports(tmp_path / "a", days), 1, 6)[1]
    for number, users in days.items():
        built = _exports(tmp_path / "b", {number: users})
        captured, one_by_one = _exported(built, number, number)
        assert (captured.changes or {}).get("corrected") is None
    assert captured.changes == {"gone": 1}
    assert "1 rows no longer shown" in captured.note()
    assert [at_once[number] for number in (1, 2, 4, 5, 6)] == [
        one_by_one[number] for number in (1, 2, 4, 5, 6)
    ]


def test_folders_of_changes_tell_nobody_who_is_gone(tmp_path: Path) -> None:
    built = _exports(tmp_path, {1: "abc", 2: "b"}, 'folders = "changes"')
    assert (built.load_users().notes, len(built.rows(USERS))) == ((), 3)


def test_a_newest_export_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"newest `dt=` folder .*2026-01-02"):
        _exports(tmp_path, {1: "abc", 2: ""}).load_users()
