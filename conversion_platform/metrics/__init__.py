"""Daily metrics: messages sent, their outcomes, and the uplift over the holdout.

docs/metrics.md defines every number. The SQL is in the common subset of DuckDB and Athena.
"""

from conversion_platform.metrics.compute import Summary, compute_metrics, daily_rows, summary
from conversion_platform.metrics.plot import metrics_plot
from conversion_platform.metrics.tables import DAILY_METRICS, TABLES

__all__ = [
    "DAILY_METRICS",
    "TABLES",
    "Summary",
    "compute_metrics",
    "daily_rows",
    "metrics_plot",
    "summary",
]
