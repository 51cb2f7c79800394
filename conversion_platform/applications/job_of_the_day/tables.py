"""The lake table that the job of the day writes."""

from __future__ import annotations

from conversion_platform.lake import Column, Table

JOB_OF_THE_DAY = Table(
    "job_of_the_day",
    "Which user is assigned which job today, in which cohort and arm.",
    (
        Column("assignment_id", "VARCHAR", "md5 of `day|user_id`: one assignment a user and day."),
        Column("user_id", "VARCHAR", "The user."),
        Column("job_id", "VARCHAR", "The user's best job that was not assigned recently."),
        Column("cohort", "VARCHAR", "The one cohort the user is served in today."),
        Column("arm", "VARCHAR", "'treatment' gets a text; 'holdout' is logged and gets none."),
        Column("probability", "FLOAT", "Calibrated probability of a conversion (0 to 1)."),
        Column("score", "FLOAT", "The model's raw probability."),
        Column("rank", "INTEGER", "The job's rank among the user's predictions of the day."),
        Column("send_at", "TIMESTAMPTZ", "The cohort's send time on the recipient's clock."),
        Column("model_version", "VARCHAR", "The model version behind the probability."),
    ),
    key=("user_id",),
)

TABLES = (JOB_OF_THE_DAY,)
