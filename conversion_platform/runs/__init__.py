"""Runs jobs in this process: planning, execution and progress of `run`, `demo` and `example`.

Dagster takes seconds to import, so the modules that use it are imported where a run begins.
"""

from conversion_platform.runs.bars import JobBars
from conversion_platform.runs.days import run_days, secrets_at_hand
from conversion_platform.runs.preflight import check_ahead

__all__ = ["JobBars", "check_ahead", "run_days", "secrets_at_hand"]
