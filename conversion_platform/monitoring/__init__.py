"""Monitoring: has what the model sees, or what it says, moved since it was judged?

Simple so far: Evidently's preset over one panel of candidate pairs a day. Reads features,
predictions and the registry; writes `drift` and a page a day.
"""

from conversion_platform.monitoring.drift import (
    ColumnDrift,
    DriftReport,
    drift_report,
    report_key,
)
from conversion_platform.monitoring.population import write_reference
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
