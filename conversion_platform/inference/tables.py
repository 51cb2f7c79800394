"""The lake table that inference writes."""

from __future__ import annotations

from conversion_platform.lake import Column, Table

DAILY_PREDICTIONS = Table(
    "daily_predictions",
    "The best jobs of each eligible user for the day, with calibrated probabilities.",
    (
        Column("user_id", "VARCHAR", "The user."),
        Column("job_id", "VARCHAR", "A job that is open at the start of the day."),
        Column("rank", "INTEGER", "1 is the user's best job; no gaps; ties go by job_id.", 1),
        Column("score", "FLOAT", "The raw probability, as if shown in the first slot.", 0, 1),
        Column("probability", "FLOAT", "The calibrated probability of a conversion.", 0, 1),
        Column("model_version", "VARCHAR", "The registry version that scored the pair."),
        Column("features_day", "DATE", "The features are those as of this day's start."),
    ),
    key=("user_id", "rank", "model_version"),
)

TABLES = (DAILY_PREDICTIONS,)
