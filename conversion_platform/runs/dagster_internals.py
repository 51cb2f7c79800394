"""The only private names of Dagster that this package uses; a test watches each of them."""

from dagster._core.instance.ref import InstanceRef

__all__ = ["NO_CAPTURE", "InstanceRef"]

# What steps print goes to the terminal anyway; the processes that copy it to Dagster's pages would
# answer Ctrl-C with tracebacks of their own.
NO_CAPTURE = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
