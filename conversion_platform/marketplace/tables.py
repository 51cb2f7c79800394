"""The checked source tables, and the tables of rejected rows.

What tells who a person is, or where, lies in tables of its own (`Table.personal`): the split of a
contract follows from `Column.personal`.
"""

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

_USER_COLUMNS = (
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
)

_JOB_COLUMNS = (
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
)


def _shown(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    return tuple(column for column in columns if not column.personal)


def _personal(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return the id, and the columns that are personal."""
    return (columns[0], *(column for column in columns if column.personal))


USERS = Table(
    "users",
    "People who can be shown jobs, one row each, after the checks, with the attributes that the "
    "settings list.",
    _shown(_USER_COLUMNS),
    key=("user_id",),
    daily=False,
    open_ended=True,
)

USERS_CONTACTS = Table(
    "users_contacts",
    "Who users are, and where: phone numbers, places, consents, and every further column that the "
    "settings do not list.",
    _personal(_USER_COLUMNS),
    key=("user_id",),
    daily=False,
    open_ended=True,
    personal=True,
)

USERS_PROTECTED = Table(
    "users_protected",
    "Protected attributes of users (gender, age ...), for audits of fairness only.",
    _USER_COLUMNS[:1],
    key=("user_id",),
    daily=False,
    open_ended=True,
    personal=True,
)

JOBS = Table(
    "jobs",
    "Jobs that can be shown, one row each, after the checks, with the attributes that the "
    "settings list.",
    _shown(_JOB_COLUMNS),
    key=("job_id",),
    daily=False,
    open_ended=True,
)

JOBS_CONTACTS = Table(
    "jobs_contacts",
    "Every further column of jobs that the settings do not list, such as whom to call.",
    _personal(_JOB_COLUMNS),
    key=("job_id",),
    daily=False,
    open_ended=True,
    personal=True,
)

EVENTS = Table(
    "events",
    "What users did with jobs (impression, click, application ...) by day, checked.",
    (
        Column("event_id", "VARCHAR", "Id of the event; a hash of the source row if it has none."),
        Column("user_id", "VARCHAR", "The user; was captured from users at some time."),
        Column("job_id", "VARCHAR", "The job; was captured from jobs at some time."),
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

_REJECTED_KEY = ("source", "row_number", "reason", "column_name")
_VALUES_KEY = ("source", "row_number", "reason", "row_json")
_REJECTED_COLUMNS = (
    Column("source", "VARCHAR", "File (or setting, for a query) the row came from."),
    Column(
        "row_number",
        "BIGINT",
        "Row in that file, 1 = first after the header; a running number where rows have no order.",
    ),
    Column("reason", "VARCHAR", "Reason code (docs/sources.md lists them)."),
    Column("column_name", "VARCHAR", "Contract column that broke the rule."),
)
_VALUE_COLUMNS = (
    *_REJECTED_COLUMNS[:3],
    Column("detail", "VARCHAR", "The offending value, as text."),
    Column("row_json", "VARCHAR", "The whole source row as JSON."),
)


def _rejected(name: str, rows: str, daily: bool = False) -> Table:
    """Return the table of rejected rows, without what they say."""
    return Table(
        f"rejected_{name}",
        f"{rows}, each with its reason.",
        _REJECTED_COLUMNS,
        _REJECTED_KEY,
        daily,
    )


def _rejected_values(name: str, daily: bool = False) -> Table:
    """Return the table of what rejected rows say."""
    return Table(
        f"rejected_{name}_values",
        f"What the rows of `rejected_{name}` say, by their source, row_number and reason.",
        _VALUE_COLUMNS,
        _VALUES_KEY,
        daily,
        personal=True,
    )


REJECTED_USERS = _rejected("users", "Rows of the users source that broke the contract")
REJECTED_USERS_VALUES = _rejected_values("users")
REJECTED_JOBS = _rejected("jobs", "Rows of the jobs source that broke the contract")
REJECTED_JOBS_VALUES = _rejected_values("jobs")
REJECTED_EVENTS = _rejected(
    "events", "Rows of the events source that broke the contract, by day", daily=True
)
REJECTED_EVENTS_VALUES = _rejected_values("events", daily=True)
REJECTED_EVENTS_UNDATED = _rejected(
    "events_undated",
    "Rejected rows of the events source without a day (no usable time and no dt= folder)",
)
REJECTED_EVENTS_UNDATED_VALUES = _rejected_values("events_undated")

ATTRIBUTES = Table(
    "attributes",
    "Attributes (further columns) of users and jobs: their kind, and whether they become features.",
    (
        Column("table_name", "VARCHAR", "users or jobs."),
        Column("column_name", "VARCHAR", "The column: in `users` or `jobs` if it is listed."),
        Column("kind", "VARCHAR", "numeric, categorical, boolean, timestamp or text."),
        Column("used", "BOOLEAN", "Whether the column becomes a feature."),
        Column("reason", "VARCHAR", "Why it is not used; NULL if it is."),
        Column(
            "privacy",
            "VARCHAR",
            "usable, personal or protected, by what the column's name and its values look like.",
        ),
    ),
    key=("table_name", "column_name"),
    daily=False,
)

CHECKED_TABLES = (
    USERS,
    USERS_CONTACTS,
    USERS_PROTECTED,
    JOBS,
    JOBS_CONTACTS,
    EVENTS,
    REJECTED_USERS,
    REJECTED_USERS_VALUES,
    REJECTED_JOBS,
    REJECTED_JOBS_VALUES,
    REJECTED_EVENTS,
    REJECTED_EVENTS_VALUES,
    REJECTED_EVENTS_UNDATED,
    REJECTED_EVENTS_UNDATED_VALUES,
    ATTRIBUTES,
)

CONTRACT_COLUMNS: dict[str, tuple[Column, ...]] = {
    USERS.name: _USER_COLUMNS,
    JOBS.name: _JOB_COLUMNS,
    EVENTS.name: EVENTS.columns,
}
"""The contract columns of each source, personal ones among them."""
