"""The lake table that the job of the day writes."""

from __future__ import annotations

from conversion_platform.lake import Column, Table

JOB_OF_THE_DAY = Table(
    "job_of_the_day",
    "The job assigned to each user on a day, with cohort and arm.",
    (
        Column("assignment_id", "VARCHAR", "md5 of `day|user_id`: one for each user and day."),
        Column("user_id", "VARCHAR", "The user."),
        Column("job_id", "VARCHAR", "The user's best job that was not assigned recently."),
        Column("cohort", "VARCHAR", "The user's cohort of the day."),
        Column("arm", "VARCHAR", "'treatment' gets a message; 'holdout' gets none."),
        Column("probability", "FLOAT", "Calibrated probability of a conversion (0 to 1)."),
        Column("score", "FLOAT", "The model's raw probability."),
        Column("rank", "INTEGER", "The job's rank among the user's predictions of the day."),
        Column("send_at", "TIMESTAMPTZ", "The cohort's send time in the recipient's time zone."),
        Column("model_version", "VARCHAR", "The model version that scored the pair."),
    ),
    key=("user_id",),
)

TABLES = (JOB_OF_THE_DAY,)
