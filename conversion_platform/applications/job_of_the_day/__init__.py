"""The job of the day: one job to each user at most, in one cohort, with a holdout that gets none.

docs/predictions.md says how users, jobs, arms and times are chosen.
"""

from conversion_platform.applications.job_of_the_day.assign import (
    Assigned,
    assign_days,
    days_to_assign,
    send_time,
)
from conversion_platform.applications.job_of_the_day.early import check_cohorts
from conversion_platform.applications.job_of_the_day.tables import JOB_OF_THE_DAY, TABLES

__all__ = [
    "JOB_OF_THE_DAY",
    "TABLES",
    "Assigned",
    "assign_days",
    "check_cohorts",
    "days_to_assign",
    "send_time",
]
