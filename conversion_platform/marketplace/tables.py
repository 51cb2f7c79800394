"""The checked source tables: what every later room may rely on."""

from __future__ import annotations

from conversion_platform.lake import Column, Table

_TIME = "TIMESTAMP WITH TIME ZONE"

USERS = Table(
    "users",
    "Checked users, with their attribute columns.",
    (
        Column("user_id", "VARCHAR", "Identity of the user."),
        Column("created_at", _TIME, "When the user joined; first event or start date if unknown."),
        Column("left_at", _TIME, "When the user left; NULL while there."),
        Column("phone", "VARCHAR", "Phone number; personal."),
        Column("time_zone", "VARCHAR", "IANA zone the user lives in."),
        Column("state", "VARCHAR", "State or province."),
        Column("postal_code", "VARCHAR", "Postal code."),
        Column("region", "VARCHAR", "Labour market the user belongs to."),
        Column("latitude", "DOUBLE", "Degrees north; personal."),
        Column("longitude", "DOUBLE", "Degrees east; personal."),
        Column("desired_pay", "DOUBLE", "Pay the user wants, per hour."),
        Column("skills", "VARCHAR", "Stated skills, separated by |."),
        Column("shift", "VARCHAR", "Shift the user wants."),
        Column("consent_at", _TIME, "When the user agreed to texts; NULL if never."),
        Column("consent_source", "VARCHAR", "Where the consent was given."),
        Column("consent_text", "VARCHAR", "Words the user agreed to."),
    ),
    key=("user_id",),
    daily=False,
    open_ended=True,
)

JOBS = Table(
    "jobs",
    "Checked jobs, with their attribute columns.",
    (
        Column("job_id", "VARCHAR", "Identity of the job."),
        Column("opened_at", _TIME, "When the job opened; first event if unknown."),
        Column("closed_at", _TIME, "When the job closed; NULL while open."),
        Column("title", "VARCHAR", "Title shown to users."),
        Column("employer_id", "VARCHAR", "Identity of the employer."),
        Column("category", "VARCHAR", "Kind of work; matched with users' skills."),
        Column("region", "VARCHAR", "Labour market the job belongs to."),
        Column("latitude", "DOUBLE", "Degrees north."),
        Column("longitude", "DOUBLE", "Degrees east."),
        Column("pay", "DOUBLE", "Pay per hour."),
        Column("shift", "VARCHAR", "Shift of the work."),
        Column("openings", "BIGINT", "How many people are wanted."),
    ),
    key=("job_id",),
    daily=False,
    open_ended=True,
)

EVENTS = Table(
    "events",
    "Checked events; dt is the local day on which the event occurred.",
    (
        Column("event_id", "VARCHAR", "Identity of the event; hash of the row if none was given."),
        Column("user_id", "VARCHAR", "Who."),
        Column("job_id", "VARCHAR", "Which job."),
        Column("event_type", "VARCHAR", "What happened, in the source's words."),
        Column("occurred_at", _TIME, "When it happened."),
        Column("recorded_at", _TIME, "When the source knew; occurred_at if not given."),
        Column("position", "INTEGER", "Slot in the slate, 0 = first; NULL if unknown."),
        Column("channel", "VARCHAR", "Where it was shown, as recruiter, text, search."),
    ),
    key=("event_id",),
)

ATTRIBUTES = Table(
    "attributes",
    "Further columns of users and jobs, and whether they become features.",
    (
        Column("table_name", "VARCHAR", "users or jobs."),
        Column("column_name", "VARCHAR", "Column of that table."),
        Column("kind", "VARCHAR", "numeric, categorical, boolean, timestamp or text."),
        Column("used", "BOOLEAN", "Whether the column becomes a feature."),
        Column("reason", "VARCHAR", "Why not, if not."),
    ),
    key=("table_name", "column_name"),
    daily=False,
)
