"""Source tables: their contracts, the connectors that read them, and the handling of bad rows.

Users, jobs and events come from Parquet, CSV, Postgres or SQL over such inputs, as the settings
say. Every row is written to a checked table or, with its reason, to a `rejected_*` table.
"""

from conversion_platform.marketplace.attributes import Attribute, infer_attributes
from conversion_platform.marketplace.checking import Example, Loaded, Unread
from conversion_platform.marketplace.contract import CONTRACTS, REASONS, Contract
from conversion_platform.marketplace.errors import first_line
from conversion_platform.marketplace.events import rewritten_days
from conversion_platform.marketplace.loading import load_events, load_jobs, load_users, newest_event
from conversion_platform.marketplace.render import render
from conversion_platform.marketplace.replay import last_replay_day
from conversion_platform.marketplace.report import (
    CheckedSources,
    SourceCheck,
    SourceReport,
    check_sources,
    checked_sources,
)
from conversion_platform.marketplace.steps import script
from conversion_platform.marketplace.tables import (
    ATTRIBUTES,
    EVENTS,
    JOBS,
    REJECTED_EVENTS,
    REJECTED_EVENTS_UNDATED,
    REJECTED_JOBS,
    REJECTED_USERS,
    SOURCE_COLUMNS,
    TABLES,
    USERS,
)

__all__ = [
    "ATTRIBUTES",
    "CONTRACTS",
    "EVENTS",
    "JOBS",
    "REASONS",
    "REJECTED_EVENTS",
    "REJECTED_EVENTS_UNDATED",
    "REJECTED_JOBS",
    "REJECTED_USERS",
    "SOURCE_COLUMNS",
    "TABLES",
    "USERS",
    "Attribute",
    "CheckedSources",
    "Contract",
    "Example",
    "Loaded",
    "SourceCheck",
    "SourceReport",
    "Unread",
    "check_sources",
    "checked_sources",
    "first_line",
    "infer_attributes",
    "last_replay_day",
    "load_events",
    "load_jobs",
    "load_users",
    "newest_event",
    "render",
    "rewritten_days",
    "script",
]
