"""Leases with a heartbeat: who is alive, who writes the lake, and what a dead command left to do.

A lease names a process and holds a count that goes up as long as that process lives. A process
that stood still may go on later: a fence looks at the lease before each publish.
"""

from conversion_platform.liveness.holding import (
    Leases,
    fence_off,
    lease_owners,
    leases_of,
    own_place,
    remove_lease,
)
from conversion_platform.liveness.judging import LOOK_SECONDS, LOOKS, Looks
from conversion_platform.liveness.lease import Lease
from conversion_platform.liveness.pending import (
    COMMAND_TAG,
    DIED_TAG,
    Pending,
    PendingStep,
    forget,
    pending_in,
    save,
    somebody_died,
)
from conversion_platform.liveness.process import Process, process_of, this_process

__all__ = [
    "COMMAND_TAG",
    "DIED_TAG",
    "LOOKS",
    "LOOK_SECONDS",
    "Lease",
    "Leases",
    "Looks",
    "Pending",
    "PendingStep",
    "Process",
    "fence_off",
    "forget",
    "lease_owners",
    "leases_of",
    "own_place",
    "pending_in",
    "process_of",
    "remove_lease",
    "save",
    "somebody_died",
    "this_process",
]
