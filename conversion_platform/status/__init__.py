"""How the platform stands: one frozen report that a person, a script or a page can show."""

from conversion_platform.status.report import TRUTH_KEY, Interval, Status, collect

__all__ = ["TRUTH_KEY", "Interval", "Status", "collect"]
