"""The append-only log of what the platform did: every batch, assignment, message state and outcome.

Files are added and never changed: the room has no function that rewrites or deletes one. The
same event is kept once, however often and from however many processes it is appended.
"""

from conversion_platform.event_log.catalog import CatalogEntry, catalog, lake_tables
from conversion_platform.event_log.files import missing_files
from conversion_platform.event_log.record import record
from conversion_platform.event_log.types import EVENT_TYPES, EventType
from conversion_platform.event_log.views import attach_views, may_be_hidden
from conversion_platform.event_log.writer import Appended, append

__all__ = [
    "EVENT_TYPES",
    "Appended",
    "CatalogEntry",
    "EventType",
    "append",
    "attach_views",
    "catalog",
    "lake_tables",
    "may_be_hidden",
    "missing_files",
    "record",
]
