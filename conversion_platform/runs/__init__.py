"""Runs jobs in this process (`run`, `demo`, `example`), and Dagster's servers (`dev`).

Dagster takes seconds to import, so the modules that use it are imported where a run begins.
"""

from conversion_platform.runs.bars import JobBars
from conversion_platform.runs.days import run_days, train_day, with_secrets
from conversion_platform.runs.folders import new_folder
from conversion_platform.runs.preflight import (
    check_before_run,
    day_of_rows,
    has_champion,
    reject_findings,
    settings_findings,
)
from conversion_platform.runs.servers import Address, become_daemon, serve_all, serve_pages
from conversion_platform.runs.startup import end_dead_runs_at_start
from conversion_platform.runs.upkeep import (
    instance_home,
    instance_in_use,
    prune_instance,
    renew_instance,
    run_activity,
)

__all__ = [
    "Address",
    "JobBars",
    "become_daemon",
    "check_before_run",
    "day_of_rows",
    "end_dead_runs_at_start",
    "has_champion",
    "instance_home",
    "instance_in_use",
    "new_folder",
    "prune_instance",
    "reject_findings",
    "renew_instance",
    "run_activity",
    "run_days",
    "serve_all",
    "serve_pages",
    "settings_findings",
    "train_day",
    "with_secrets",
]
