"""The Complete Journey: coupon campaigns of a grocer, mapped to users, jobs and events by settings.

docs/complete-journey.md says what is mapped to what, what came out, and what it cannot tell.
"""

from conversion_platform.examples.complete_journey.judging import (
    Campaign,
    Judgement,
    judge_mailings,
)
from conversion_platform.examples.complete_journey.run import RUN_DAYS, run_example
from conversion_platform.examples.complete_journey.setting_up import (
    package_tables,
    prepare,
)

__all__ = [
    "RUN_DAYS",
    "Campaign",
    "Judgement",
    "judge_mailings",
    "package_tables",
    "prepare",
    "run_example",
]
