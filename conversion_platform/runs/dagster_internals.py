"""The only private names of Dagster that this package uses; a test watches each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import dagster as dg
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.instance.ref import InstanceRef
from dagster._core.log_manager import LOG_RECORD_EVENT_ATTR
from dagster._core.remote_origin import RemoteRepositoryOrigin
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
    "shown_on_pages",
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


@contextmanager
def shown_on_pages(instance: dg.DagsterInstance, workspace: Path, job: str) -> Iterator[None]:
    """Let a job that is executed in this process name its code location, as the daemon's runs do.

    Timeline and the job's page leave out runs without one, and `execute_in_process` takes none.

    Args:
        instance: Where the run is recorded.
        workspace: File of the code location that the pages load.
        job: Name of the job.
    """
    (location,) = WorkspaceFileTarget([str(workspace)]).create_origins()
    origin = RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME).get_job_origin(job)
    create = partial(instance.create_run_for_job, remote_job_origin=origin)
    instance.create_run_for_job = create  # type: ignore[method-assign]
    try:
        yield
    finally:
        del instance.create_run_for_job
