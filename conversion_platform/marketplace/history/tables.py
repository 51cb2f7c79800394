"""The tables of snapshots, and of the versions that a source itself tells."""

from __future__ import annotations

from dataclasses import dataclass

from conversion_platform.lake import Column, Table
from conversion_platform.marketplace.tables import (
    JOBS,
    UNREAD_COLUMNS,
    UPDATED_AT,
    USERS,
    USERS_CONTACTS,
)

VALID_FROM = Column(
    "valid_from",
    "DATE",
    "First day on which the row counts; a row of the first snapshot counts on earlier days too.",
)
PRESENT = Column(
    "present",
    "BOOLEAN",
    "Whether the source shows the row from that day on; NULL: nobody knew its id yet.",
)
TOLD_AT = Column("told_at", "TIMESTAMP WITH TIME ZONE", "From when on the source says it was so.")

# The time of writing may change every day in every row, and says nothing about the row.
_WITHOUT_HISTORY = (UPDATED_AT, UNREAD_COLUMNS)
_COORDINATES = ("latitude", "longitude")


def _kept(table: Table) -> tuple[Column, ...]:
    return tuple(column for column in table.columns if column not in _WITHOUT_HISTORY)


# Distances to jobs are features: places are the only personal columns with a history. Numbers and
# consents are read as they are now.
_USER_COLUMNS = (
    *_kept(USERS),
    *(column for column in USERS_CONTACTS.columns if column.name in _COORDINATES),
)

USERS_HISTORY = Table(
    "users_history",
    "Users as each captured day saw them: rows that changed since the snapshot before.",
    (*_USER_COLUMNS, VALID_FROM, PRESENT),
    key=("user_id", "valid_from"),
    open_ended=True,
    personal=True,
)
JOBS_HISTORY = Table(
    "jobs_history",
    "Jobs as each captured day saw them: rows that changed since the snapshot before.",
    (*_kept(JOBS), VALID_FROM, PRESENT),
    key=("job_id", "valid_from"),
    open_ended=True,
)
USERS_VERSIONS = Table(
    "users_versions",
    "Users of whom the source tells several dated rows, or that it shows no more: all of those.",
    (*_USER_COLUMNS, TOLD_AT, PRESENT),
    key=("user_id", "told_at"),
    daily=False,
    open_ended=True,
    personal=True,
)
JOBS_VERSIONS = Table(
    "jobs_versions",
    "Jobs of which the source tells several dated rows, or that it shows no more: all of those.",
    (*_kept(JOBS), TOLD_AT, PRESENT),
    key=("job_id", "told_at"),
    daily=False,
    open_ended=True,
)
SNAPSHOT_TABLES = (USERS_HISTORY, JOBS_HISTORY)
HISTORY_TABLES = (*SNAPSHOT_TABLES, USERS_VERSIONS, JOBS_VERSIONS)


@dataclass(frozen=True)
class History:
    """What belongs to one history.

    Attributes:
        table: The snapshots.
        current: The checked table as it is now, without what is personal.
        versions: The versions that the source itself tells.
        start: The column that says when a user joined, or a job opened.
    """

    table: Table
    current: Table
    versions: Table
    start: str

    @property
    def key(self) -> str:
        """The id column."""
        return self.current.key[0]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The declared columns whose changes are kept, the id first."""
        return tuple(c for c in self.table.columns if c not in (VALID_FROM, PRESENT))


def history_of(current: Table) -> History:
    """Return the history of a checked table."""
    return next(one for one in HISTORIES.values() if one.current == current)


HISTORIES = {
    USERS_HISTORY.name: History(USERS_HISTORY, USERS, USERS_VERSIONS, "created_at"),
    JOBS_HISTORY.name: History(JOBS_HISTORY, JOBS, JOBS_VERSIONS, "opened_at"),
}
