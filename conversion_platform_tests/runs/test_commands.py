"""What a command takes over from one that was killed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest

from conversion_platform.days import DayRange
from conversion_platform.lake import open_storage
from conversion_platform.liveness import Pending, PendingJob, lease_store, pending_in, save
from conversion_platform.runs.commands import Command, command
from conversion_platform.runs.planning import PlannedJob
from conversion_platform.settings import load_settings
from conversion_platform_tests.liveness.processes import ended_process, lease_of

DAY = DayRange.of(date(2026, 1, 25))
DAYS = DayRange(date(2026, 1, 20), date(2026, 1, 25))
REFRESH = {"refresh": "2026-01-25"}
REPLAN = {"replan": "true"}


@pytest.fixture
def under_way(tmp_path: Path) -> Iterator[Command]:
    """A command; another one, which was to run a day, was killed before."""
    from conversion_platform.runs.instance import open_instance

    file = tmp_path / "conversion_platform.toml"
    file.write_text("")
    storage = open_storage(str(tmp_path / "lake"))
    with (
        open_instance(load_settings(file)) as instance,
        command(instance, storage, "a test") as made,
    ):
        yield made


def leave(home: Path, tags: Mapping[str, str]) -> None:
    """Leave the day as a command does that is killed."""
    lease_store(home, "dead").replace(lease_of(ended_process(), "dead")).close()
    save(home, Pending("dead", (PendingJob("daily", DAY, tags),)))


@pytest.mark.parametrize("left", [REFRESH, REPLAN, {**REFRESH, **REPLAN}])
@pytest.mark.parametrize("own", [{}, REPLAN])
def test_what_was_to_be_done_anew_is_done_anew_unless_the_command_does_it_too(
    under_way: Command, tmp_path: Path, left: Mapping[str, str], own: Mapping[str, str]
) -> None:
    leave(tmp_path / "dagster_home", left)
    found = under_way.take_over_pending([PlannedJob("daily", DAYS, "", own)])
    taken = [(one.job, one.days, one.tags) for one in found]
    assert taken == ([] if left == own else [("daily", DAY, left)])


def test_the_runs_of_a_command_have_the_tags_of_their_steps(
    under_way: Command, tmp_path: Path
) -> None:
    seen: list[tuple[str, bool, bool]] = []

    def run_one(step: PlannedJob, tags: Mapping[str, str]) -> None:
        (pending,) = pending_in(tmp_path / "dagster_home")
        written_down = pending.steps[0].tags == step.tags
        seen.append((step.job, REFRESH.items() <= tags.items(), written_down))

    steps = [PlannedJob("history", DAYS, ""), PlannedJob("daily", DAY, "", REFRESH)]
    under_way.run(steps, run_one)
    assert seen == [("history", False, True), ("daily", True, True)]
