"""What a process says of its work and how it ends: progress of long loops, and signals."""

from conversion_platform.process.progress import progress_listener, with_progress
from conversion_platform.process.stopping import (
    STOPPED,
    removed_when_stopped,
    stoppable,
    when_stopped,
)

__all__ = [
    "STOPPED",
    "progress_listener",
    "removed_when_stopped",
    "stoppable",
    "when_stopped",
    "with_progress",
]
