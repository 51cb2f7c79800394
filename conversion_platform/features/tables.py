"""The feature tables of the lake."""

from __future__ import annotations

from conversion_platform.features.builtin import JOB, USER, builtin_features
from conversion_platform.features.effects.tables import RESPONSE_EFFECTS
from conversion_platform.lake import Column, Table

_KEPT_COUNTS = ("impressions", "clicks", "conversions")


def _columns(level: str) -> tuple[Column, ...]:
    return tuple(
        Column(feature.name, feature.type, feature.description)
        for feature in builtin_features()
        if feature.level == level
    )


USER_FEATURES = Table(
    "user_features",
    "What is known of each user when the day begins: activity, rates, recency, wishes, attributes.",
    (Column("user_id", "VARCHAR", "The user."), *_columns(USER)),
    key=("user_id",),
    open_ended=True,
)

JOB_FEATURES = Table(
    "job_features",
    "What is known of each job when the day begins: popularity, rates, recency, age, attributes.",
    (
        Column("job_id", "VARCHAR", "The job."),
        Column("open_at_start", "BOOLEAN", "Whether the job was open when the day began."),
        *_columns(JOB),
    ),
    key=("job_id",),
    open_ended=True,
)

USER_CATEGORY_FEATURES = Table(
    "user_category_features",
    "What each user was shown, clicked and converted in each category of job, before the day.",
    (
        Column("user_id", "VARCHAR", "The user."),
        Column("category", "VARCHAR", "The category of job."),
        *(
            Column(f"{count}_{days}d", "INTEGER", f"{count.capitalize()} within {days} days.")
            for days in (28, 90)
            for count in _KEPT_COUNTS
        ),
        Column("effect", "FLOAT", "Log-odds of a response that the user adds in the category."),
    ),
    key=("user_id", "category"),
)

TABLES = (RESPONSE_EFFECTS, USER_FEATURES, JOB_FEATURES, USER_CATEGORY_FEATURES)
