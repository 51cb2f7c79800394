"""The Complete Journey: coupon campaigns of a grocer, mapped to users, jobs and events by settings.

docs/complete-journey.md describes the mapping, the results, and their limits.
"""

from conversion_platform.examples.complete_journey.evaluation import (
    Campaign,
    MailingEvaluation,
    evaluate_mailings,
)
from conversion_platform.examples.complete_journey.preparation import (
    package_tables,
    prepare,
)
from conversion_platform.examples.complete_journey.run import RUN_DAYS, run_example

__all__ = [
    "RUN_DAYS",
    "Campaign",
    "MailingEvaluation",
    "evaluate_mailings",
    "package_tables",
    "prepare",
    "run_example",
]
