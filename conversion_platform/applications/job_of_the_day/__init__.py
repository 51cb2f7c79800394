"""The job of the day: at most one job for each user, in one cohort, with a holdout.

docs/predictions.md describes how users, jobs, arms and times are chosen.
"""

from conversion_platform.applications.job_of_the_day.assign import (
    Assigned,
    assign_days,
    days_to_assign,
    send_time,
)
from conversion_platform.applications.job_of_the_day.predicate_checks import (
    MEMBERS,
    check_members,
    check_predicates,
)
from conversion_platform.applications.job_of_the_day.tables import JOB_OF_THE_DAY, TABLES

__all__ = [
    "JOB_OF_THE_DAY",
    "MEMBERS",
    "TABLES",
    "Assigned",
    "assign_days",
    "check_members",
    "check_predicates",
    "days_to_assign",
    "send_time",
]
