"""What every command does when it starts: end the runs that died."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.liveness import somebody_died

if TYPE_CHECKING:
    from conversion_platform.settings import Settings


def end_dead_runs_at_start(settings: Settings) -> None:
    """End the runs whose process is gone; Dagster is imported only if there is one."""
    # As `home_path` of runs/instance.py, whose import takes a second for Dagster.
    home = Path(os.environ.get("DAGSTER_HOME") or settings.base / "dagster_home")
    if not somebody_died(home):
        return
    from conversion_platform.runs.commands import end_what_died
    from conversion_platform.runs.instance import open_instance

    with open_instance(settings) as instance:
        end_what_died(instance)
