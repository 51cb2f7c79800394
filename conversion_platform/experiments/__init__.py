"""Experiments: the arm of each user, and the uplift between arms.

Arms are computed by a stable hash, so they need not be stored; the uplift has an interval.
"""

from conversion_platform.experiments.arms import HOLDOUT, TREATMENT, arm_of, arm_sql
from conversion_platform.experiments.uplift import Interval, uplift_interval

__all__ = ["HOLDOUT", "TREATMENT", "Interval", "arm_of", "arm_sql", "uplift_interval"]
