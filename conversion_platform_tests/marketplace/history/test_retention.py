"""Snapshots of days long ago are folded into one."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date
from pathlib import Path

import pytest

from conversion_platform.days import DayRange
from conversion_platform.lake import Lake, Table
from conversion_platform.marketplace import (
    JOBS_HISTORY,
    USERS,
    USERS_HISTORY,
    as_of,
    capture,
    capture_both,
    fold_old_snapshots,
    load_events,
    load_jobs,
    load_users,
)
from conversion_platform.marketplace.history import fold_snapshots
from conversion_platform_tests.marketplace.history.world import (
    Regions,
    day,
    keep,
    known,
    opened,
    seen,
)
from conversion_platform_tests.marketplace.world import World

TEAM = {"team": "VARCHAR"}
CAPTURES: dict[int, Regions] = {
    0: {"a": "x", "b": "x"},
    2: {"a": "y", "b": "x", "c": "x"},
    4: {"a": "z", "c": "x", "d": "x"},
    6: {"a": "x", "d": "y", "e": "y"},
    8: {"b": "x", "d": "y"},
}

FOLDED = {10 * number: users for number, users in CAPTURES.items()}


@pytest.mark.parametrize("last", [2, 3, 4, 6, 8])
def test_days_from_the_snapshot_that_is_left_on_see_what_they_saw(
    tmp_path: Path, last: int
) -> None:
    with opened(tmp_path) as session:
        for number, users in CAPTURES.items():
            keep(session, number, users)
        left = max(number for number in CAPTURES if number <= last)
        before = {number: seen(session, number) for number in range(left, 12)}
        removed = fold_snapshots(session, USERS_HISTORY, day(last))
        assert removed == [day(number) for number in CAPTURES if number < left]
        assert {number: seen(session, number) for number in range(left, 12)} == before
        assert seen(session, 0) == before[left]
        assert fold_snapshots(session, USERS_HISTORY, day(last)) == []


@pytest.mark.parametrize("killed_after", range(4))
def test_a_crash_while_folding_leaves_days_as_they_were_and_the_next_run_goes_on(
    tmp_path: Path, killed_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day that is to be forgotten sees all users, as some snapshot before it had them."""
    removed: list[object] = []

    def remove(lake: Lake, table: Table, one: object) -> None:
        if len(removed) == killed_after:
            raise KeyboardInterrupt
        removed.append(one)
        lake.storage.remove(lake.key(table, one))  # type: ignore[arg-type]

    with opened(tmp_path) as session:
        for number, users in FOLDED.items():
            keep(session, number, users)
        before = {number: seen(session, number) for number in range(60, 120)}
        monkeypatch.setattr(Lake, "remove", remove)
        with pytest.raises(KeyboardInterrupt) if killed_after < 3 else nullcontext():
            fold_old_snapshots(session, day(730 + 60))
        assert {number: seen(session, number) for number in range(60, 120)} == before
        left = [number for number in FOLDED if day(number) in session.lake.days(USERS_HISTORY)]
        for number in range(-1, 60):
            newest = max((one for one in left if one <= number), default=left[0])
            assert {**seen(session, number), **FOLDED[newest]} == seen(session, number)
        monkeypatch.undo()
        fold_old_snapshots(session, day(730 + 60))
        assert session.lake.days(USERS_HISTORY) == [day(60), day(80)]
        assert {number: seen(session, number) for number in range(60, 120)} == before
        assert seen(session, 0) == FOLDED[60]


@pytest.mark.parametrize("written_again", ["refreshed", "folded"])
def test_a_snapshot_that_is_written_whole_keeps_attributes_that_are_listed_no_more(
    tmp_path: Path, written_again: str
) -> None:
    with opened(tmp_path) as session:
        for number, team in enumerate("abz"):
            own = f"(SELECT 'u' AS user_id, '{team}' AS team)"
            query = f"SELECT * FROM {own} UNION ALL BY NAME {USERS.empty_select()}"
            session.lake.write(session.con, USERS, query)
            capture(session, USERS_HISTORY, DayRange.of(day(number)))
        keep(session, 3, {"u": "x"})
        if written_again == "refreshed":
            keep(session, 1, {"u": "x"}, refresh=True)
        else:
            fold_snapshots(session, USERS_HISTORY, day(2))
        found = f"SELECT team FROM {as_of(session.lake, USERS_HISTORY, day(2), TEAM)}"
        assert session.con.execute(found).fetchall() == [("z",)]


def test_snapshots_are_kept_as_long_as_the_settings_say(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        for number in (0, 10, 40, 800):
            keep(session, number, {"a": str(number)})
        assert fold_old_snapshots(session, day(755)) == []
        assert fold_old_snapshots(session, day(730 + 35)) == [day(0)]
        assert seen(session, 39) == {"a": "10"}


def test_a_user_who_was_gone_when_snapshots_were_folded_stays_known(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        for number, users in FOLDED.items():
            keep(session, number, users)
        before = known(session, range(60, 120))
        fold_old_snapshots(session, day(730 + 60))
        assert session.lake.days(USERS_HISTORY) == [day(60), day(80)]
        assert known(session, range(60, 120)) == before
        assert {user for user, _ in before} == set("abcde")
        assert {user for user, number in known(session, range(-9, 1))} == set("abcde")


def test_a_day_within_retention_that_runs_again_after_folding_gives_the_same_bytes(
    tmp_path: Path,
) -> None:
    """User 2 was known until the 8th alone: the run of the 9th writes events of days before it."""
    rows = ", ".join(
        f"('e{user}-{number}', {user}, 10, 'impression', '{january(number)}T15:00:00Z')"
        for user in (1, 2, 3)
        for number in range(2, 15)
    )
    events = f"SELECT * FROM (VALUES {rows}) e(event_id, user_id, job_id, event_type, occurred_at)"
    built = World(tmp_path).fill(users=_users(1, 3), events=events)
    for number in (4, 8):
        _run(built, number)
    built.fill(users=_users(1, 2, 3), events=events)
    _run(built, 4, refresh=True)
    built.fill(users=_users(1), events=events)
    for number in (9, 11, 9, 11):
        _run(built, number)
    before = _bytes(built)
    with built.session() as session:
        for table in (USERS_HISTORY, JOBS_HISTORY):
            assert fold_snapshots(session, table, january(9)) == [january(4), january(8)]
    for number in (9, 11):
        _run(built, number)
    assert _bytes(built) == before


def january(number: int) -> date:
    return date(2026, 1, number)


def _users(*ids: int) -> str:
    return f"SELECT unnest({list(ids)}) AS user_id, '2026-01-01T05:00:00Z' AS created_at"


def _run(built: World, number: int, refresh: bool = False) -> None:
    """Load, capture and write events as a run of the day does."""
    with built.session() as session:
        load_users(session)
        load_jobs(session)
        capture_both(session, DayRange.of(january(number)), refresh)
        load_events(session, DayRange.of(january(number)))


def _bytes(built: World) -> dict[str, bytes]:
    """The bytes of all events, and of the snapshots of the 11th."""
    with built.session() as session:
        lake = session.lake
        snapshots = [lake.key(table, january(11)) for table in (USERS_HISTORY, JOBS_HISTORY)]
        return {key: lake.storage.read(key) for key in [*lake.storage.list("events"), *snapshots]}
