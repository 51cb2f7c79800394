"""The contract of each source: its columns, their kinds, and the reasons of rejection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal, overload

from conversion_platform.lake import Column, Table
from conversion_platform.marketplace import tables

if TYPE_CHECKING:
    from conversion_platform.settings import EntitySection, Settings, SourceSection

Kind = Literal["id", "text", "words", "zone", "number", "integer", "time", "far_time"]
EntityName = Literal["users", "jobs", "events"]

SQL_TYPES: dict[Kind, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "words": "VARCHAR",
    "zone": "VARCHAR",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "time": "TIMESTAMP WITH TIME ZONE",
    "far_time": "TIMESTAMP WITH TIME ZONE",
}


@dataclass(frozen=True)
class Field:
    """One contract column.

    Attributes:
        name: Its name in the checked table.
        kind: `words` is text that may not be a bare number; `zone` an IANA zone; `end` a time
            that is NULL if it lies in the far future (9999-12-31).
        missing: Reason code when it is empty; None where it may be.
        low: Smallest value allowed, for numbers.
        high: Largest value allowed, for numbers.
        since: First day (UTC) on which it can have happened, for times.
    """

    name: str
    kind: Kind = "text"
    missing: str | None = None
    low: float | None = None
    high: float | None = None
    since: date | None = None


@dataclass(frozen=True)
class Contract:
    """One source table's contract.

    Attributes:
        name: `users`, `jobs` or `events`; the setting is `sources.<name>`.
        table: The checked table, which anyone may read.
        rejected: Rows that broke the contract.
        values: What those rows say.
        fields: Contract columns, in the order in which they are checked.
        required: Columns that the source must have.
        start: Time column that must not be later than `end`.
        end: The end that belongs to `start`.
        contacts: The personal table with the personal columns and those that nobody listed; None
            for events, which keep contract columns only.
        protected: The personal table of protected attributes; None where nobody has such.
    """

    name: EntityName
    table: Table
    rejected: Table
    values: Table
    fields: tuple[Field, ...]
    required: tuple[str, ...]
    start: str | None = None
    end: str | None = None
    contacts: Table | None = None
    protected: Table | None = None

    @property
    def key(self) -> str:
        """The id column."""
        return self.table.key[0]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The contract columns, personal ones among them."""
        return tables.CONTRACT_COLUMNS[self.name]

    @property
    def parts(self) -> tuple[Table, ...]:
        """The tables that hold an accepted row: a row in each, by the same id."""
        return tuple(one for one in (self.contacts, self.protected, self.table) if one)

    @property
    def setting(self) -> str:
        """The settings section that names the source."""
        return f"sources.{self.name}"

    @property
    def of_entities(self) -> Literal["users", "jobs"]:
        """The name, of users or jobs: further columns of events are unused."""
        assert self.name != "events"
        return self.name


@overload
def section_of(settings: Settings, name: Literal["users", "jobs"]) -> EntitySection: ...
@overload
def section_of(settings: Settings, name: str) -> SourceSection: ...
def section_of(settings: Settings, name: str) -> SourceSection:
    """Return the settings of the source of a name: `users`, `jobs` or `events`."""
    section: SourceSection = getattr(settings.sources, name)
    return section


# Nobody can have agreed before that. 1970-01-01, the zero of a computer's clock, is how exports
# write that there is no consent.
_FIRST_TEXT = date(1992, 12, 3)
_PLACE = (
    Field("latitude", "number", low=-90, high=90),
    Field("longitude", "number", low=-180, high=180),
)

USERS = Contract(
    "users",
    tables.USERS,
    tables.REJECTED_USERS,
    tables.REJECTED_USERS_VALUES,
    (
        Field("user_id", "id", missing="missing_id"),
        Field("created_at", "time"),
        Field("left_at", "far_time"),
        Field("phone"),
        Field("time_zone", "zone"),
        Field("state", "words"),
        Field("postal_code"),
        Field("region"),
        *_PLACE,
        Field("desired_pay", "number", low=0),
        Field("skills"),
        Field("shift"),
        Field("consent_at", "time", since=_FIRST_TEXT),
        Field("consent_source"),
        Field("consent_text", "words"),
        Field("updated_at", "time"),
        Field("valid_from", "far_time"),
    ),
    required=("user_id",),
    start="created_at",
    end="left_at",
    contacts=tables.USERS_CONTACTS,
    protected=tables.USERS_PROTECTED,
)

JOBS = Contract(
    "jobs",
    tables.JOBS,
    tables.REJECTED_JOBS,
    tables.REJECTED_JOBS_VALUES,
    (
        Field("job_id", "id", missing="missing_id"),
        Field("opened_at", "time"),
        Field("closed_at", "far_time"),
        Field("title", "words"),
        Field("employer_id", "id"),
        Field("category"),
        Field("region"),
        *_PLACE,
        Field("pay", "number", low=0),
        Field("shift"),
        Field("openings", "integer", low=0),
        Field("updated_at", "time"),
        Field("valid_from", "far_time"),
    ),
    required=("job_id",),
    start="opened_at",
    end="closed_at",
    contacts=tables.JOBS_CONTACTS,
)

EVENTS = Contract(
    "events",
    tables.EVENTS,
    tables.REJECTED_EVENTS,
    tables.REJECTED_EVENTS_VALUES,
    (
        Field("event_id", "id"),
        Field("user_id", "id", missing="missing_id"),
        Field("job_id", "id", missing="missing_id"),
        Field("event_type", "words", missing="missing_event_type"),
        Field("occurred_at", "time", missing="missing_time"),
        Field("recorded_at", "time"),
        Field("position", "integer", low=0, high=2**31 - 1),
        Field("channel"),
    ),
    required=("user_id", "job_id", "event_type", "occurred_at"),
)

CONTRACTS = (USERS, JOBS, EVENTS)

REASONS: dict[str, str] = {
    "broken_line": "A CSV line has too few or too many fields, an unclosed quote, or another "
    'encoding (the row is `{"line": "..."}`), or repeats the header.',
    "missing_id": "`user_id` or `job_id` is empty.",
    "missing_event_type": "`event_type` is empty.",
    "missing_time": "`occurred_at` is empty.",
    "inexact_id": "An id came as a double of 2^53 or more, or as a spreadsheet shows it "
    "(`1.2E+10`), and lost digits: export integer or text.",
    "not_a_time": "A time cannot be read (see `date_format`), or lies outside 1900 to 2200.",
    "time_without_zone": "A time has no zone, and `sources.*.time_zone` is not set.",
    "ambiguous_time_zone": "A time names its zone by letters that several places use (BST, EST): "
    "write an offset or an IANA zone.",
    "not_a_number": "A number cannot be read or is infinite; a fraction in `position` or "
    "`openings`.",
    "not_a_boolean": "A cell of an attribute that a model knows as true or false.",
    "out_of_range": "A number beyond 3.4e38, a latitude beyond 90, a longitude beyond 180, "
    "negative pay, position or openings, a consent of before 1992-12-03, the day of the first "
    "text.",
    "number_where_text_belongs": "A bare number as `title`, `state`, `time_zone` or "
    "`consent_text`, or as an `event_type` that no setting names.",
    "unknown_time_zone": "`users.time_zone` is no IANA zone: messages could come at night.",
    "end_before_start": "A job closed before it opened, or a user left before joining.",
    "duplicate_id": "A repeated id: of users and jobs the first row (by file and row) stays, "
    "unless a time tells versions apart; of events the copy recorded first.",
    "unknown_user": "The event's user was never captured from `users`, or first captured more "
    "than `events.late_days` and a day after the event.",
    "unknown_job": "The same of the event's job, and `jobs`.",
    "too_late": "The event arrived (by `recorded_at` or folder) more than `events.late_days` "
    "calendar days after it happened.",
    "wrong_folder": "The event is in a `dt=` folder more than a day before its own day.",
}
