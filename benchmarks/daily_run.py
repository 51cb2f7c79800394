"""How long a day's run takes, how much memory it needs, and how both grow with the users.

Builds marketplaces of 10,000 and 100,000 users (2,000 open jobs, 125 candidates a user) from
source files, and runs the day's chain of each in a process of its own. `--quick` takes 2,000
and 20,000 users; `seconds_10k` and `seconds_100k` are then those of the smaller sizes.

    seconds_10k, seconds_100k   wall time of the day's run, start of the process to its end
    peak_gib                    highest resident memory of the larger run
    growth                      time a user at the larger size / at the smaller (1 = linear)
    seconds_STAGE               where the larger run spends its time
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conversion_platform.days import DayRange

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent))

from benchmarks import harness
from benchmarks._daily_world import DAY, HISTORY, fit_model, write_sources

SIZES, QUICK_SIZES = (10_000, 100_000), (2_000, 20_000)


def main() -> None:
    arguments = harness.arguments(__doc__ or "")
    small, large = QUICK_SIZES if arguments.quick else SIZES
    runs = {users: _measured(users) for users in (small, large)}
    first, last = runs[small], runs[large]
    answer = last.answer
    figures = {
        "seconds_10k": first.seconds,
        "seconds_100k": last.seconds,
        "peak_gib": last.peak_gib,
        "peak_gib_10k": first.peak_gib,
        "growth": (last.seconds / large) / (first.seconds / small),
        "users_small": small,
        "users_large": large,
        **{f"seconds_{stage}": seconds for stage, seconds in answer["stages"].items()},
        **{name: value for name, value in answer.items() if name != "stages"},
    }
    harness.report(figures, arguments.json)
