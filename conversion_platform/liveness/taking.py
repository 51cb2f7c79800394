"""Taking a lease that another process may hold: wait for a live one, take over from a dead one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from conversion_platform.liveness.detection import OBSERVE_SECONDS, Observations, process_is_gone
from conversion_platform.liveness.lease import Lease
from conversion_platform.liveness.lease_stores import Held, LeaseStore

POLL_SECONDS = 1.0
SETTLE_SECONDS = 0.2
"""Of two that take a lease at once, the one that wrote last has it, and both see so after this
time. One that stood still in between fails when it publishes, where it asks again."""

Waiting = Callable[[Lease], None]


@dataclass(frozen=True)
class Taken:
    """A lease that was taken, and the dead holder's in whose place, if there was one."""

    held: Held
    from_dead: Lease | None


def take(place: LeaseStore, lease: Lease, waiting: Waiting) -> Taken:
    """Take the lease at a place; wait as long as a live process holds it.

    What another part of this process holds is shared.

    Args:
        place: Where the lease lies.
        lease: What others shall read there.
        waiting: Told of each holder that has to be waited for, once.
    """
    watch = _Watch()
    told = ""
    while True:
        there = place.read()
        held = _tried(place, lease, there, watch)
        if held is not None and (held.shared or _settled(held)):
            return Taken(held, None if held.shared else there)
        if there is not None and there.token != told:
            told = there.token
            waiting(there)
        time.sleep(POLL_SECONDS)


def _tried(place: LeaseStore, lease: Lease, there: Lease | None, watch: _Watch) -> Held | None:
    if there is None:
        return place.create(lease)
    if there.process == lease.process:
        return place.share(there)
    return place.replace(lease) if watch.is_dead(there) else None


def _settled(held: Held) -> bool:
    time.sleep(SETTLE_SECONDS)
    if held.kept():
        return True
    held.close()
    return False


class _Watch:
    """Judges the holder that is waited for, again and again."""

    def __init__(self) -> None:
        self._observations = Observations()
        self._next = 0.0

    def is_dead(self, there: Lease) -> bool:
        if process_is_gone(there):
            return True
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + OBSERVE_SECONDS
        self._observations = self._observations.next()
        return self._observations.observe(there)
