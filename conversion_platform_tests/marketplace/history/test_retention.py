"""Snapshots of days long ago are folded into one."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from conversion_platform.days import DayRange
from conversion_platform.lake import Lake, Table
from conversion_platform.marketplace import USERS, USERS_HISTORY, as_of, capture, fold_old_snapshots
from conversion_platform.marketplace.history import fold_snapshots
from conversion_platform_tests.marketplace.history.world import Regions, day, keep, opened, seen

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
