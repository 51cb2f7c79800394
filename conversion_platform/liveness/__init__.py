"""Leases with a heartbeat: who is alive, who writes the lake, and what a dead command left to do.

A lease names a process and holds a count that goes up as long as that process lives. A process
that stood still may go on later: a fence looks at the lease before each publish.
"""

from conversion_platform.liveness.detection import (
    OBSERVATIONS_UNTIL_DEAD,
    OBSERVE_SECONDS,
    Observations,
    process_is_gone,
)
from conversion_platform.liveness.holding import (
    Leases,
    fence_off,
    lease_owners,
    lease_store,
    leases_of,
    remove_lease,
)
from conversion_platform.liveness.lease import Lease
from conversion_platform.liveness.pending import (
    COMMAND_TAG,
    DIED_TAG,
    Pending,
    PendingJob,
    forget,
    pending_in,
    save,
    somebody_died,
)
from conversion_platform.liveness.process import Process, process_of, this_process

__all__ = [
    "COMMAND_TAG",
    "DIED_TAG",
    "OBSERVATIONS_UNTIL_DEAD",
    "OBSERVE_SECONDS",
    "Lease",
    "Leases",
    "Observations",
    "Pending",
    "PendingJob",
    "Process",
    "fence_off",
    "forget",
    "lease_owners",
    "lease_store",
    "leases_of",
    "pending_in",
    "process_is_gone",
    "process_of",
    "remove_lease",
    "save",
    "somebody_died",
    "this_process",
]
