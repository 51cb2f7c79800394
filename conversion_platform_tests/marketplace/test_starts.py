"""When a user joined, or a job opened, where the source does not say it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from conversion_platform.days import DayRange
from conversion_platform.errors import SourceError
from conversion_platform.marketplace import (
    JOBS,
    USERS,
    Captured,
    capture_both,
    load_jobs,
    load_users,
)
from conversion_platform_tests.marketplace.world import World, write_parquet

THREE = "SELECT unnest([1, 2, 3]) AS user_id"
TWO_JOBS = "SELECT unnest([10, 20]) AS job_id"
EVENTS_TOML = '[sources.events]\npath = "events"\n'


def _events(*rows: tuple[int, int, int]) -> str:
    """Impressions of (user, job, day of January)."""
    listed = ", ".join(
        f"('e{user}-{job}-{day}', {user}, {job}, 'impression', '2026-01-{day:02d}T15:00:00Z')"
        for user, job, day in rows
    )
    return f"SELECT * FROM (VALUES {listed}) e(event_id, user_id, job_id, event_type, occurred_at)"


def _captured(built: World, number: int) -> tuple[Captured, Captured]:
    with built.session() as session:
        load_users(session)
        load_jobs(session)
        return capture_both(session, DayRange.of(date(2026, 1, number)))


def _joined(built: World) -> dict[str, int]:
    return dict(built.rows(USERS, "user_id, day(created_at)"))


def test_a_start_that_was_captured_stays_when_the_source_of_events_forgets(tmp_path: Path) -> None:
    built = World(tmp_path).fill(THREE, TWO_JOBS, _events((1, 10, 2), (2, 20, 3)))
    _captured(built, 5)
    assert _joined(built) == {"1": 2, "2": 3, "3": 1}
    built.fill(THREE, TWO_JOBS, _events((1, 10, 6), (2, 10, 6), (3, 20, 6)))
    for number in (7, 8):
        assert [one.changes for one in _captured(built, number)] == [{}, {}]
    assert _joined(built) == {"1": 2, "2": 3, "3": 1}
    assert built.rows(JOBS, "job_id, day(opened_at)") == [("10", 2), ("20", 3)]


def test_who_is_new_joined_with_the_first_event(tmp_path: Path) -> None:
    built = World(tmp_path).fill(THREE, TWO_JOBS, _events((1, 10, 2)))
    _captured(built, 5)
    built.fill("SELECT unnest([1, 2, 3, 4]) AS user_id", TWO_JOBS, _events((1, 10, 6), (4, 10, 6)))
    users, _ = _captured(built, 7)
    assert users.changes == {"new": 1}
    assert _joined(built) == {"1": 2, "2": 1, "3": 1, "4": 6}


def test_a_start_that_the_source_says_counts_more_than_the_captured_one(tmp_path: Path) -> None:
    built = World(tmp_path).fill(THREE, TWO_JOBS, _events((1, 10, 2)))
    _captured(built, 5)
    built.fill(users="SELECT 1 AS user_id, '2026-01-03T15:00:00Z' AS created_at")
    assert _captured(built, 6)[0].changes == {"corrected": 1, "gone": 2}


@pytest.mark.parametrize("new", [False, True])
def test_after_the_first_snapshot_old_files_of_events_are_not_read_for_starts(
    tmp_path: Path, new: bool
) -> None:
    built = World(tmp_path, EVENTS_TOML).fill(THREE, TWO_JOBS)
    for day, events in ((2, _events((1, 10, 2))), (20, _events((4, 10, 20)))):
        write_parquet(events, tmp_path / f"events/dt=2026-01-{day:02d}/all.parquet")
    _captured(built, 19)
    (tmp_path / "events/dt=2026-01-02/all.parquet").write_bytes(b"PAR1 broken")
    if new:
        built.fill(users="SELECT unnest([1, 2, 3, 4]) AS user_id")
    built.load_users()
    assert _joined(built) == {"1": 2, "2": 1, "3": 1, **({"4": 20} if new else {})}


def test_the_first_run_reads_all_events_for_starts(tmp_path: Path) -> None:
    built = World(tmp_path, EVENTS_TOML).fill(THREE)
    write_parquet(_events((1, 10, 2)), tmp_path / "events/dt=2026-01-02/all.parquet")
    (tmp_path / "events/dt=2025-01-02").mkdir()
    (tmp_path / "events/dt=2025-01-02/all.parquet").write_bytes(b"PAR1 broken")
    with pytest.raises(SourceError, match="dt=2025-01-02"):
        built.load_users()


def test_an_event_that_is_rejected_tells_no_start(tmp_path: Path) -> None:
    built = World(tmp_path).fill(THREE, TWO_JOBS, _events((1, 10, 5)))
    query = (
        f"{_events((1, 10, 5))} UNION ALL SELECT * FROM (VALUES "
        "('a', 1, 10, 'impression', '0001-01-01T00:00:00Z'), "
        "('b', 1, 10, NULL, '2026-01-02T15:00:00Z'), ('c', 1, NULL, 'click', '1901-01-01T00:00Z'))"
    )
    built.fill(THREE, TWO_JOBS, query)
    with built.session() as session:
        load_users(session)
    assert built.rows(USERS, "year(created_at), day(created_at)", "user_id")[0] == (2026, 5)
