"""Who is treated and who is held out, and what the difference between them is worth.

Arms come from a stable hash, so nobody has to remember them; the uplift comes with an
interval, so nobody has to believe a lucky day.
"""

from conversion_platform.experiments.arms import HOLDOUT, TREATMENT, arm_of, arm_sql
from conversion_platform.experiments.uplift import Interval, uplift_interval

__all__ = ["HOLDOUT", "TREATMENT", "Interval", "arm_of", "arm_sql", "uplift_interval"]
