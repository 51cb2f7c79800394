"""A snapshot that is replaced changes its day, and leaves later days as they were."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from conversion_platform.days import DayRange
from conversion_platform.lake import Session
from conversion_platform.marketplace import (
    USERS,
    USERS_HISTORY,
    capture,
    capture_both,
    load_events,
    load_jobs,
    load_users,
    versions,
)
from conversion_platform_tests.marketplace.history.world import day, known, opened, show
from conversion_platform_tests.marketplace.world import World

TEAM = {"team": "VARCHAR"}
Users = dict[str, tuple[str, str | None]]
"""Region and team of each user."""

SHOWN = st.dictionaries(
    st.sampled_from("abcd"),
    st.tuples(st.sampled_from("xyz"), st.one_of(st.none(), st.sampled_from("st"))),
)
CAPTURES = st.dictionaries(st.integers(0, 12), SHOWN, min_size=2, max_size=6)


def keep(session: Session, number: int, users: Users, listed: bool, refresh: bool = False) -> None:
    """Capture a day on which the source shows these users, with their team if it is listed."""
    session.con.execute(
        "CREATE OR REPLACE TEMP TABLE shown (user_id VARCHAR, region VARCHAR, team VARCHAR)"
    )
    for user, (region, team) in users.items():
        session.con.execute("INSERT INTO shown VALUES (?, ?, ?)", [user, region, team])
    columns = "*" if listed else "* EXCLUDE (team)"
    query = f"SELECT {columns} FROM shown UNION ALL BY NAME {USERS.empty_select()}"
    session.lake.write(session.con, USERS, query)
    capture(session, USERS_HISTORY, DayRange.of(day(number)), refresh)


def seen(session: Session) -> list[Users]:
    """What each of some days sees of users, with a snapshot of its own or without."""
    rows = session.con.execute(
        "SELECT user_id, region, team, from_day, to_day "
        f"FROM {versions(session.lake, USERS_HISTORY, TEAM)}"
    ).fetchall()
    found: list[Users] = []
    for one in map(day, range(16)):
        held = [row for row in rows if row[3] <= one < row[4]]
        found.append({user: (region, team) for user, region, team, *_ in held})
        assert len(found[-1]) == len(held)
    return found


@hypothesis_settings(max_examples=15)
@given(CAPTURES, st.integers(0, 14), st.integers(0, 4), SHOWN)
@example(  # `b` is lost, `e` is known too early, and `team` is listed later
    {
        0: {"a": ("x", None), "b": ("x", None)},
        1: {"a": ("y", None)},
        2: {"a": ("z", None), "c": ("x", None)},
        3: {"a": ("z", "s"), "c": ("x", None)},
    },
    3,
    0,
    {"a": ("x", "t"), "e": ("x", "t")},
)
def test_later_days_and_their_events_are_as_they_were(
    captures: dict[int, Users], listed: int, place: int, shown: Users
) -> None:
    """Days without a snapshot too, and with an attribute that was listed in between."""
    days = sorted(captures)
    assume(place < len(days))
    number, after = days[place], [*days, 99][place + 1]
    with_team = [one for one in days if one >= listed]
    assume(all(any(team for _, team in captures[one].values()) for one in with_team))
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as session:
        for one in days:
            keep(session, one, captures[one], listed <= one)
        before, events = seen(session), known(session, range(-5, 20))
        for _ in range(2):
            keep(session, number, shown, True, refresh=True)
            now = seen(session)
            assert now[after:] == before[after:]
            assert all(_regions(now[one]) == _regions(before[one]) for one in days[:place])
            assert _regions(now[number]) == _regions(shown)
            if after == 99 or (place > 0 and listed <= days[place - 1]):
                assert now[number] == shown
            found = known(session, range(-5, 20))
            assert events <= found, "who was captured stays known"
            assert {one for one in found - events if one[1] >= after} == set()


VERSIONS = st.dictionaries(
    st.sampled_from("abc"),
    st.dictionaries(st.integers(-2, 12), st.sampled_from("xyz"), min_size=1, max_size=4),
)


@hypothesis_settings(max_examples=15)
@given(VERSIONS, VERSIONS, st.sets(st.integers(0, 11), max_size=3), st.booleans())
@example({"a": {0: "x", 7: "y"}}, {"a": {0: "x"}}, {4}, True)
@example({"a": {0: "x"}}, {"a": {0: "x", 7: "y"}}, {4, 9}, False)
def test_every_snapshot_that_is_replaced_is_what_the_source_tells_of_its_past(
    told: dict[str, dict[int, str]],
    corrected: dict[str, dict[int, str]],
    cuts: set[int],
    ascending: bool,
) -> None:
    """The first of a range tells the versions of all of its days; the last is replaced too.

    Nobody begins later than was told first: whom an earlier snapshot shows is shown until the
    source tells something else, or that one is replaced too.
    """
    corrected = {user: _begun(dated, told.get(user, dated)) for user, dated in corrected.items()}
    ends = [-1, *sorted(cuts), 12]
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as session:
        _tell(session, told)
        for first, last in pairwise(ends):
            capture(session, USERS_HISTORY, DayRange(day(first + 1), day(last)))
        snapshots = session.lake.days(USERS_HISTORY)
        known_before = known(session, range(-3, 16))
        _tell(session, corrected)
        for one in snapshots if ascending else reversed(snapshots):
            capture(session, USERS_HISTORY, DayRange.of(one), refresh=True)
        for number in range(13):
            if day(number) in snapshots:
                expected = {
                    user: dated[max(since for since in dated if since <= number)]
                    for user, dated in corrected.items()
                    if min(dated) <= number
                }
                assert _regions(seen(session)[number]) == expected, number
        assert known_before <= known(session, range(-3, 16))


def _begun(dated: dict[int, str], told: dict[int, str]) -> dict[int, str]:
    """Versions of which the first begins no later than the first of others."""
    return {min(*told, *dated): dated[min(dated)], **dated}


def _tell(session: Session, versions: dict[str, dict[int, str]]) -> None:
    told = {user: sorted(dated.items()) for user, dated in versions.items()}
    show(session, {user: dated[-1][1] for user, dated in told.items()}, told)


def _regions(users: Users) -> dict[str, str]:
    return {user: region for user, (region, _) in users.items()}


def test_what_a_user_had_when_an_attribute_was_listed_is_not_filled_in_later(
    tmp_path: Path,
) -> None:
    """The day saw no team of `b`; a day after it captured the first."""
    with opened(tmp_path) as session:
        keep(session, 0, {"a": ("x", None), "b": ("x", None)}, False)
        keep(session, 1, {"a": ("x", "s"), "b": ("x", None)}, True)
        before = seen(session)[1]
        keep(session, 2, {"a": ("x", "s"), "b": ("x", "t")}, True)
        assert seen(session)[1] == before == {"a": ("x", "s"), "b": ("x", None)}
        assert seen(session)[0] == {"a": ("x", "s"), "b": ("x", "t")}


def _run(built: World, number: int, refresh: bool = False) -> tuple[int, dict[str, int]]:
    """Run a day; return how many events count, and the others by reason."""
    days = DayRange.of(date(2026, 1, number))
    with built.session() as session:
        load_users(session)
        load_jobs(session)
        capture_both(session, days, refresh)
        loaded = load_events(session, days)
    return loaded.accepted_rows, loaded.rejects


def _users(*ids: int) -> str:
    return f"SELECT unnest({list(ids)}) AS user_id, '2026-01-01T05:00:00Z' AS created_at"


@pytest.mark.parametrize("later", [(), (9,)])
def test_events_of_a_user_who_was_deleted_stay_when_the_snapshot_is_replaced(
    tmp_path: Path, later: tuple[int, ...]
) -> None:
    built = World(tmp_path).fill()
    assert _run(built, 4) == (3, {})
    built.fill(users=_users(1))
    for number in later:
        _run(built, number)
    assert _run(built, 4, refresh=True) == (3, {})
    assert _run(built, 4) == (3, {})


def test_events_of_later_days_stay_rejected_of_a_user_whom_a_replaced_snapshot_knows_alone(
    tmp_path: Path,
) -> None:
    rows = ", ".join(
        f"('e{number}', 2, 10, 'impression', '{date(2026, 1, 1) + timedelta(number)}T15:00:00Z')"
        for number in range(30)
    )
    events = f"SELECT * FROM (VALUES {rows}) e(event_id, user_id, job_id, event_type, occurred_at)"
    built = World(tmp_path).fill(users=_users(1), events=events)
    for number in (4, 12, 20):
        _run(built, number)
    assert _run(built, 20) == (0, {"unknown_user": 4})
    built.fill(users=_users(1, 2), events=events)
    assert _run(built, 4, refresh=True)[0] == 4
    assert _run(built, 20) == (0, {"unknown_user": 4})
