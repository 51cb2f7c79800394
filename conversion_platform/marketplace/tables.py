"""The checked source tables, and the tables of rejected rows."""

from __future__ import annotations

from conversion_platform.lake import Column, Table

UPDATED_AT = Column(
    "updated_at",
    "TIMESTAMP WITH TIME ZONE",
    "When the source wrote the row: of several rows of one id the newest counts.",
)
UNREAD_COLUMNS = Column(
    "unread_columns",
    "VARCHAR",
    "Columns that are NULL because the cell could not be read, separated by |; NULL: none.",
)

USERS = Table(
    "users",
    "People who can be shown jobs, one row each, after the checks. Contains personal data.",
    (
        Column("user_id", "VARCHAR", "Id of the user, as text whatever its type in the source."),
        Column(
            "created_at",
            "TIMESTAMP WITH TIME ZONE",
            "When the user joined; if not given, first event, else start_date.",
        ),
        Column("left_at", "TIMESTAMP WITH TIME ZONE", "When the user left; NULL: still present."),
        Column("phone", "VARCHAR", "Phone number as the source writes it.", personal=True),
        Column("time_zone", "VARCHAR", "IANA zone of the user; NULL: the platform's."),
        Column("state", "VARCHAR", "State, as the source writes it; decides the messaging rules."),
        Column("postal_code", "VARCHAR", "Postal code.", personal=True),
        Column("region", "VARCHAR", "Labour market, matched against jobs.region."),
        Column("latitude", "DOUBLE", "Degrees north, -90 to 90.", -90, 90, personal=True),
        Column("longitude", "DOUBLE", "Degrees east, -180 to 180.", -180, 180, personal=True),
        Column("desired_pay", "DOUBLE", "Pay the user asks for, in the unit of jobs.pay."),
        Column("skills", "VARCHAR", "Stated skills, separated by |."),
        Column("shift", "VARCHAR", "Shift wanted, matched against jobs.shift."),
        Column(
            "consent_at",
            "TIMESTAMP WITH TIME ZONE",
            "When the user agreed to get messages; NULL: never.",
        ),
        Column("consent_source", "VARCHAR", "Where the consent was given."),
        Column("consent_text", "VARCHAR", "The wording that the user agreed to.", personal=True),
        UPDATED_AT,
        UNREAD_COLUMNS,
    ),
    key=("user_id",),
    daily=False,
    open_ended=True,
)

JOBS = Table(
    "jobs",
    "Jobs that can be shown, one row each, after the checks.",
    (
        Column("job_id", "VARCHAR", "Id of the job, as text whatever its type in the source."),
        Column(
            "opened_at",
            "TIMESTAMP WITH TIME ZONE",
            "When the job opened; if not given, first event, else start_date.",
        ),
        Column("closed_at", "TIMESTAMP WITH TIME ZONE", "When the job closed; NULL: still open."),
        Column("title", "VARCHAR", "Title, as shown in messages."),
        Column("employer_id", "VARCHAR", "Id of the employer."),
        Column("category", "VARCHAR", "Kind of work, matched against users.skills."),
        Column("region", "VARCHAR", "Labour market, matched against users.region."),
        Column("latitude", "DOUBLE", "Degrees north, -90 to 90.", -90, 90),
        Column("longitude", "DOUBLE", "Degrees east, -180 to 180.", -180, 180),
        Column("pay", "DOUBLE", "Pay, in the unit of users.desired_pay."),
        Column("shift", "VARCHAR", "Shift, matched against users.shift."),
        Column("openings", "BIGINT", "Number of people to hire."),
        UPDATED_AT,
        UNREAD_COLUMNS,
    ),
    key=("job_id",),
    daily=False,
    open_ended=True,
)

EVENTS = Table(
    "events",
    "What users did with jobs (impression, click, application ...) by day, checked.",
    (
        Column("event_id", "VARCHAR", "Id of the event; a hash of the source row if it has none."),
        Column("user_id", "VARCHAR", "The user; always in users."),
        Column("job_id", "VARCHAR", "The job; always in jobs."),
        Column("event_type", "VARCHAR", "What happened; settings.events says what it means."),
        Column("occurred_at", "TIMESTAMP WITH TIME ZONE", "When it happened."),
        Column(
            "recorded_at",
            "TIMESTAMP WITH TIME ZONE",
            "When the source recorded it; occurred_at if the source does not say.",
        ),
        Column("position", "INTEGER", "Slot in the list shown, 0 = first; NULL: unknown."),
        Column("channel", "VARCHAR", "Channel through which the job was shown; NULL: unknown."),
    ),
    key=("event_id",),
    # Features count by user: events sorted by user are joined and counted in half the time.
    together=("user_id", "occurred_at"),
    delta=True,
)

_REJECTED_COLUMNS = (
    Column("source", "VARCHAR", "File (or setting, for a query) the row came from."),
    Column(
        "row_number",
        "BIGINT",
        "Row in that file, 1 = first after the header; a running number where rows have no order.",
    ),
    Column("reason", "VARCHAR", "Reason code (docs/sources.md lists them)."),
    Column("column_name", "VARCHAR", "Contract column that broke the rule."),
    Column("detail", "VARCHAR", "The offending value, as text.", personal=True),
    Column("row_json", "VARCHAR", "The whole source row as JSON.", personal=True),
)
_REJECTED_KEY = ("source", "row_number", "reason", "row_json")

REJECTED_USERS = Table(
    "rejected_users",
    "Rows of the users source that broke the contract, each with its reason.",
    _REJECTED_COLUMNS,
    key=_REJECTED_KEY,
    daily=False,
)

REJECTED_JOBS = Table(
    "rejected_jobs",
    "Rows of the jobs source that broke the contract, each with its reason.",
    _REJECTED_COLUMNS,
    key=_REJECTED_KEY,
    daily=False,
)

REJECTED_EVENTS = Table(
    "rejected_events",
    "Rows of the events source that broke the contract, each with its reason, by day.",
    _REJECTED_COLUMNS,
    key=_REJECTED_KEY,
)

REJECTED_EVENTS_UNDATED = Table(
    "rejected_events_undated",
    "Rejected rows of the events source without a day: no usable time and no dt= folder.",
    _REJECTED_COLUMNS,
    key=_REJECTED_KEY,
    daily=False,
)

ATTRIBUTES = Table(
    "attributes",
    "Attributes (further columns) of users and jobs: their kind, and whether they become features.",
    (
        Column("table_name", "VARCHAR", "users or jobs."),
        Column("column_name", "VARCHAR", "Column of that checked table."),
        Column("kind", "VARCHAR", "numeric, categorical, boolean, timestamp or text."),
        Column("used", "BOOLEAN", "Whether the column becomes a feature."),
        Column("reason", "VARCHAR", "Why it is not used; NULL if it is."),
    ),
    key=("table_name", "column_name"),
    daily=False,
)

TABLES = (
    USERS,
    JOBS,
    EVENTS,
    REJECTED_USERS,
    REJECTED_JOBS,
    REJECTED_EVENTS,
    REJECTED_EVENTS_UNDATED,
    ATTRIBUTES,
)

SOURCE_COLUMNS = {
    table.name: tuple(column.name for column in table.columns) for table in (USERS, JOBS, EVENTS)
}
"""The contract columns of each source."""
