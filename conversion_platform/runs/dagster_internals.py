"""The only private names of Dagster that this package uses; a test watches each of them."""

from dagster._core.instance.ref import InstanceRef
from dagster._core.log_manager import LOG_RECORD_EVENT_ATTR
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.load_target import WorkspaceFileTarget

__all__ = [
    "DAEMON_MODULE",
    "EVENT_OF_A_RECORD",
    "NO_CAPTURE",
    "InstanceRef",
    "SqliteEventLogStorage",
    "WorkspaceFileTarget",
    "WorkspaceProcessContext",
    "WorkspaceRequestContext",
]

DAEMON_MODULE = "dagster._daemon"  # `python -m`: what `dagster dev` starts
# The attribute of a log record that holds the Dagster event it tells of.
EVENT_OF_A_RECORD = LOG_RECORD_EVENT_ATTR

# What steps print goes to the terminal anyway; the processes that copy it to Dagster's pages would
# answer Ctrl-C with tracebacks of their own.
NO_CAPTURE = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
