"""What a person sees of a job under way where the output is no terminal."""

from __future__ import annotations

from datetime import date

import pytest

from conversion_platform.days import DayRange
from conversion_platform.runs.bars import LINE_SECONDS, JobBars, Progress
from conversion_platform.runs.planning import PlannedJob

STEP = PlannedJob("history", DayRange(date(2020, 1, 1), date(2026, 4, 1)), "features to learn from")


def test_without_a_terminal_a_job_is_a_line_at_first_and_another_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]
    bars = JobBars(clock=lambda: now[0])
    with bars.shown():
        bars.watch(Progress(STEP))
        for day in range(100):
            now[0] = day * LINE_SECONDS / 10
            bars.watch(Progress(STEP, f"features, {day} of 100"))
        bars.watch(Progress(STEP, share=1.0, finished=True))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "history 2020-01-01..2026-04-01: features to learn from"
    assert lines[1] == "history: features, 10 of 100"
    assert len(lines) == 10
