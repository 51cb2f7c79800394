"""What a command has yet to run is written down, step by step, and survives it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from conversion_platform.days import DayRange
from conversion_platform.liveness import (
    Pending,
    PendingJob,
    forget,
    lease_store,
    pending_in,
    save,
    somebody_died,
)
from conversion_platform_tests.liveness.processes import elsewhere, ended_process, lease_of

DAYS = DayRange(date(2026, 1, 5), date(2026, 1, 9))
STEPS = (
    PendingJob("history", DAYS),
    PendingJob("train", DayRange.of(DAYS.last)),
    PendingJob("daily", DayRange.of(DAYS.last), {"refresh": "2026-01-09"}),
)


def test_what_was_written_is_read_and_shrinks_to_nothing(tmp_path: Path) -> None:
    pending = Pending("c1", STEPS)
    save(tmp_path, pending)
    assert pending_in(tmp_path) == [pending]
    while pending.steps:
        pending = pending.without_first()
        save(tmp_path, pending)
    assert pending_in(tmp_path) == []


def test_each_step_has_its_own_tags() -> None:
    pending = Pending("c1", STEPS)
    assert pending.tags != pending.without_first().tags
    assert pending.tags != Pending("c2", STEPS).tags


def test_what_is_forgotten_is_gone_and_may_be_forgotten_again(tmp_path: Path) -> None:
    save(tmp_path, Pending("c1", STEPS))
    save(tmp_path, Pending("c2", STEPS))
    for _ in range(2):
        forget(tmp_path, "c1")
    assert [pending.command for pending in pending_in(tmp_path)] == ["c2"]


def test_a_file_of_an_earlier_release_has_no_tags(tmp_path: Path) -> None:
    save(tmp_path, Pending("c1", STEPS))
    (file,) = (tmp_path / "leases").glob("*.pending")
    file.write_text('[{"first": "2026-01-05", "job": "daily", "last": "2026-01-09"}]')
    assert pending_in(tmp_path) == [Pending("c1", (PendingJob("daily", DAYS),))]


@pytest.mark.parametrize("cut", [0, 1, 20])
def test_a_file_that_was_cut_off_is_left_out(tmp_path: Path, cut: int) -> None:
    save(tmp_path, Pending("c1", STEPS))
    (file,) = (tmp_path / "leases").glob("*.pending")
    file.write_bytes(file.read_bytes()[:cut])
    assert pending_in(tmp_path) == []


def test_a_dead_run_is_news_and_a_dead_command_whose_work_waits_is_not(tmp_path: Path) -> None:
    assert not somebody_died(tmp_path)
    lease_store(tmp_path, "far").replace(lease_of(elsewhere(), "far")).close()
    lease_store(tmp_path, "c1").replace(lease_of(ended_process(), "c1")).close()
    save(tmp_path, Pending("c1", STEPS))
    assert not somebody_died(tmp_path)
    lease_store(tmp_path, "run").replace(lease_of(ended_process(), "run")).close()
    assert somebody_died(tmp_path)
