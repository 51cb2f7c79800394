"""Monitoring: drift of the model's features and scores since its test days.

Compares one panel of candidate pairs for each day with Evidently's preset. Reads features,
predictions and the registry; writes `drift` and one page for each day.
"""

from conversion_platform.monitoring.drift import (
    ColumnDrift,
    DriftReport,
    drift_report,
    report_key,
)
from conversion_platform.monitoring.panel import write_reference
from conversion_platform.monitoring.tables import DRIFT, TABLES

__all__ = [
    "DRIFT",
    "TABLES",
    "ColumnDrift",
    "DriftReport",
    "drift_report",
    "report_key",
    "write_reference",
]
