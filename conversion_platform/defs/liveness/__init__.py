"""Dead runs and commands: found, ended in Dagster's records, and asked for again."""

from conversion_platform.defs.liveness.dead_runs import (
    AT_WORK,
    end_dead_runs,
    end_run,
    home_of,
)
from conversion_platform.defs.liveness.resuming import remaining

__all__ = ["AT_WORK", "end_dead_runs", "end_run", "home_of", "remaining"]
