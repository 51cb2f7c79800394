"""The append-only log of the platform: every batch, assignment, message state and outcome.

Files are added and never changed: the package has no function that rewrites or deletes one. An
event is stored once, even if several processes append it several times.
"""

from conversion_platform.event_log.files import log_files, missing_files, select_log
from conversion_platform.event_log.record import record
from conversion_platform.event_log.types import EVENT_TYPES, EventType
from conversion_platform.event_log.writer import Appended, append

__all__ = [
    "EVENT_TYPES",
    "Appended",
    "EventType",
    "append",
    "log_files",
    "missing_files",
    "record",
    "select_log",
]
