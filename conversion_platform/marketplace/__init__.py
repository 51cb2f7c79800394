"""Source tables: their contracts, the connectors that read them, and the handling of bad rows.

Users, jobs and events come from Parquet, CSV, Postgres or SQL over such inputs, as the settings
say. Every row is written to a checked table or, with its reason, to a `rejected_*` table.
"""

from conversion_platform.marketplace.attribute_casts import AttributeKind
from conversion_platform.marketplace.attribute_kinds import Attribute, infer_attributes
from conversion_platform.marketplace.attributes import known_kinds
from conversion_platform.marketplace.channels import by_text
from conversion_platform.marketplace.checking import Example, Loaded, Unread
from conversion_platform.marketplace.contract import CONTRACTS, REASONS, Contract, section_of
from conversion_platform.marketplace.events import rewritten_days, shown_types
from conversion_platform.marketplace.history import (
    HISTORY_TABLES,
    JOBS_HISTORY,
    USERS_HISTORY,
    Captured,
    as_of,
    attribute_types,
    capture,
    capture_both,
    ever_known,
    fold_old_snapshots,
    require_history,
    require_snapshots,
    shown_as_of,
    versions,
)
from conversion_platform.marketplace.loading import load_events, load_jobs, load_users, newest_event
from conversion_platform.marketplace.masking import masked_user_cell
from conversion_platform.marketplace.meanings import columns_to_map
from conversion_platform.marketplace.personal_hint import personal_hint
from conversion_platform.marketplace.phones import normalised_phone
from conversion_platform.marketplace.render import render
from conversion_platform.marketplace.replay import last_replay_day
from conversion_platform.marketplace.report import (
    CheckedSources,
    Known,
    SourceCheck,
    SourceReport,
    check_sources,
    checked_sources,
    proposed_attributes,
)
from conversion_platform.marketplace.separation import keep_personal_apart
from conversion_platform.marketplace.steps import script
from conversion_platform.marketplace.tables import (
    ATTRIBUTES,
    CHECKED_TABLES,
    EVENTS,
    JOBS,
    JOBS_CONTACTS,
    REJECTED_EVENTS,
    REJECTED_EVENTS_UNDATED,
    REJECTED_EVENTS_UNDATED_VALUES,
    REJECTED_EVENTS_VALUES,
    REJECTED_JOBS,
    REJECTED_JOBS_VALUES,
    REJECTED_USERS,
    REJECTED_USERS_VALUES,
    USERS,
    USERS_CONTACTS,
    USERS_PROTECTED,
)

TABLES = (*CHECKED_TABLES, *HISTORY_TABLES)

__all__ = [
    "ATTRIBUTES",
    "CONTRACTS",
    "EVENTS",
    "JOBS",
    "JOBS_CONTACTS",
    "JOBS_HISTORY",
    "REASONS",
    "REJECTED_EVENTS",
    "REJECTED_EVENTS_UNDATED",
    "REJECTED_EVENTS_UNDATED_VALUES",
    "REJECTED_EVENTS_VALUES",
    "REJECTED_JOBS",
    "REJECTED_JOBS_VALUES",
    "REJECTED_USERS",
    "REJECTED_USERS_VALUES",
    "TABLES",
    "USERS",
    "USERS_CONTACTS",
    "USERS_HISTORY",
    "USERS_PROTECTED",
    "Attribute",
    "AttributeKind",
    "Captured",
    "CheckedSources",
    "Contract",
    "Example",
    "Known",
    "Loaded",
    "SourceCheck",
    "SourceReport",
    "Unread",
    "as_of",
    "attribute_types",
    "by_text",
    "capture",
    "capture_both",
    "check_sources",
    "checked_sources",
    "columns_to_map",
    "ever_known",
    "fold_old_snapshots",
    "infer_attributes",
    "keep_personal_apart",
    "known_kinds",
    "last_replay_day",
    "load_events",
    "load_jobs",
    "load_users",
    "masked_user_cell",
    "newest_event",
    "normalised_phone",
    "personal_hint",
    "proposed_attributes",
    "render",
    "require_history",
    "require_snapshots",
    "rewritten_days",
    "script",
    "section_of",
    "shown_as_of",
    "shown_types",
    "versions",
]
