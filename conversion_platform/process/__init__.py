"""What a process says of its work and how it ends: progress of long loops, and signals."""

from conversion_platform.process.progress import heard_by, in_turn
from conversion_platform.process.stopping import (
    STOPPED,
    removed_when_stopped,
    stoppable,
    when_stopped,
)

__all__ = ["STOPPED", "heard_by", "in_turn", "removed_when_stopped", "stoppable", "when_stopped"]
