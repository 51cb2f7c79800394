"""An export of users or jobs that was cut off is refused before it replaces anything."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from conversion_platform.days import DayRange
from conversion_platform.errors import SourceError
from conversion_platform.marketplace import (
    JOBS,
    USERS,
    USERS_CONTACTS,
    capture_both,
    load_jobs,
    load_users,
)
from conversion_platform.preflight import loaded_trial
from conversion_platform_tests.marketplace.world import World, write_parquet

FIRST = date(2026, 1, 2)


def january(number: int) -> date:
    return date(2026, 1, number)


def show(folder: Path, users: int, jobs: int = 2, first: int = 0) -> World:
    """Let the source show so many users and jobs, users numbered from `first`."""
    built = World(folder).fill()
    write_parquet(
        "SELECT CAST(i AS VARCHAR) AS user_id, '+1512555' || (1000 + i) AS phone, "
        "TIMESTAMPTZ '2026-01-01 05:00:00+00' AS created_at "
        f"FROM range({first}, {first + users}) AS t(i)",
        folder / "source/users.parquet",
    )
    write_parquet(
        "SELECT CAST(i AS VARCHAR) AS job_id, TIMESTAMPTZ '2026-01-01 05:00:00+00' AS opened_at "
        f"FROM range({jobs}) AS t(i)",
        folder / "source/jobs.parquet",
    )
    return built


def run(built: World, day: date, refresh: bool = False, clock: str = "wall") -> None:
    """Load and capture as a run of the day does."""
    with built.session() as session:
        today = day if clock == "replay" else january(31)
        load_users(session, today=today)
        load_jobs(session, today=today)
        capture_both(session, DayRange.of(day), refresh)


@pytest.mark.parametrize(
    ("users", "left", "refused"),
    [(100, 50, False), (100, 49, True), (30, 10, False), (30, 9, True)],
)
def test_more_than_the_share_and_more_than_20_may_not_be_gone_at_once(
    tmp_path: Path, users: int, left: int, refused: bool
) -> None:
    run(show(tmp_path, users), FIRST)
    built = show(tmp_path, left)
    if not refused:
        run(built, january(3))
        assert len(built.rows(USERS)) == left
        return
    with pytest.raises(
        SourceError, match=f"{users - left} of the {users} users of {FIRST}"
    ) as told:
        run(built, january(3))
    assert "sources.users.max_gone_share = 0.5" in str(told.value)
    assert "CONVERSION_PLATFORM__SOURCES__USERS__MAX_GONE_SHARE=1" in str(told.value)


@pytest.mark.parametrize(("day", "refresh"), [(2, False), (2, True), (4, False), (5, False)])
def test_an_export_that_was_cut_off_replaces_nothing_whatever_run_reads_it(
    tmp_path: Path, day: int, refresh: bool
) -> None:
    """The run of a new day, a second one of a day, one of an earlier day, a refresh."""
    run(show(tmp_path, 100), FIRST)
    run(show(tmp_path, 100), january(4))
    built = show(tmp_path, 1)
    with pytest.raises(SourceError, match="99 of the 100 users of 2026-01-04 are gone"):
        run(built, january(day), refresh)
    assert len(built.rows(USERS)) == len(built.rows(USERS_CONTACTS)) == 100


def test_jobs_are_missed_too(tmp_path: Path) -> None:
    run(show(tmp_path, 2, jobs=100), FIRST)
    built = show(tmp_path, 2, jobs=10)
    with pytest.raises(SourceError, match=r"sources.jobs: 90 of the 100 jobs"):
        run(built, january(3))
    assert len(built.rows(JOBS)) == 100


def test_check_sources_refuses_what_a_run_would_refuse(tmp_path: Path) -> None:
    run(show(tmp_path, 100), FIRST)
    built = show(tmp_path, 10)
    refused = pytest.raises(SourceError, match="90 of the 100 users")
    with refused, loaded_trial(built.settings, None, learns=True):
        pass
    with loaded_trial(show(tmp_path, 60).settings, None, learns=True) as (checked, _):
        assert checked.report.sources[0].accepted_rows == 60


def test_a_run_that_the_settings_allow_captures_what_is_left(tmp_path: Path) -> None:
    run(show(tmp_path, 100), FIRST)
    built = show(tmp_path, 10)
    built.toml = '[sources.users]\npath = "source/users.parquet"\nmax_gone_share = 1.0\n'
    run(built, january(3))
    built.toml = ""
    run(built, january(4))
    assert len(built.rows(USERS)) == 10


@pytest.mark.parametrize("clock", ["wall", "replay"])
def test_users_who_left_one_after_another_are_not_missed_when_an_early_day_runs_again(
    tmp_path: Path, clock: str
) -> None:
    for number in range(10):
        run(show(tmp_path, 100 - 10 * number, first=10 * number), january(2 + number), clock=clock)
    built = show(tmp_path, 10, first=90)
    for number in (0, 5, 9):
        run(built, january(2 + number), refresh=number == 5, clock=clock)
    assert len(built.rows(USERS)) == 10


def test_users_of_whom_a_row_holds_only_later_are_not_missed_by_an_earlier_day(
    tmp_path: Path,
) -> None:
    """With the replay clock: 90 of the 100 come after the day that runs again."""
    built = World(tmp_path).fill(
        users="SELECT i AS user_id, TIMESTAMPTZ '2026-01-01 05:00:00+00' AS created_at, "
        "if(i < 10, TIMESTAMPTZ '2026-01-01 05:00:00+00', "
        "TIMESTAMPTZ '2026-01-05 05:00:00+00') AS valid_from FROM range(100) AS t(i)"
    )
    for number in (3, 9, 3):
        run(built, january(number), clock="replay")
    assert len(built.rows(USERS)) == 10
