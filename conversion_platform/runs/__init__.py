"""Runs jobs in this process (`run`, `demo`, `example`), and Dagster's servers (`dev`).

Dagster takes seconds to import, so the modules that use it are imported where a run begins.
"""

from conversion_platform.runs.bars import JobBars
from conversion_platform.runs.days import run_days, secrets_at_hand
from conversion_platform.runs.looking import look_for_dead_runs
from conversion_platform.runs.preflight import check_ahead
from conversion_platform.runs.servers import Address, become_daemon, serve_all, serve_pages

__all__ = [
    "Address",
    "JobBars",
    "become_daemon",
    "check_ahead",
    "look_for_dead_runs",
    "run_days",
    "secrets_at_hand",
    "serve_all",
    "serve_pages",
]
