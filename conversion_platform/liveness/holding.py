"""The leases of one run or command: its own, and the lake's while it writes there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from conversion_platform.errors import LeaseLostError
from conversion_platform.lake import Storage
from conversion_platform.liveness.heartbeat import Heartbeat
from conversion_platform.liveness.lease import Lease
from conversion_platform.liveness.lease_stores import FileLeaseStore, Held, lake_lease_store
from conversion_platform.liveness.taking import Waiting, take
from conversion_platform.process import when_stopped

FOLDER = "leases"
SUFFIX = ".lease"


def lease_folder(home: Path) -> Path:
    """Return where the runs and commands of an instance keep their leases."""
    return home / FOLDER


def lease_store(home: Path, owner: str) -> FileLeaseStore:
    """Return where the lease of a run or command lies."""
    return FileLeaseStore(lease_folder(home) / f"{owner}{SUFFIX}")


def fence_off(home: Path, lease: Lease) -> None:
    """Take a lease from a holder that was judged dead, should it go on after all.

    Others read the lease as before, until it is removed.
    """
    lease_store(home, lease.owner).replace(lease).close()


def remove_lease(home: Path, owner: str) -> None:
    """Take the lease of a run or command away; its fence lets nothing through from then on."""
    (lease_folder(home) / f"{owner}{SUFFIX}").unlink(missing_ok=True)


def lease_owners(home: Path) -> list[str]:
    """Return the runs and commands that have a lease."""
    return sorted(file.stem for file in lease_folder(home).glob(f"*{SUFFIX}"))


class Leases:
    """What a run or command holds. Made by `leases_of`.

    Attributes:
        lease: Its own lease, which every process with the same instance can read.
    """

    def __init__(self, own: Held, heartbeat: Heartbeat, at_end: ExitStack) -> None:
        self.lease = own.lease
        self._own = own
        self._lake: Held | None = None
        self._heartbeat = heartbeat
        self._at_end = at_end

    def hold_lake(self, storage: Storage, waiting: Waiting) -> Lease | None:
        """Become the writer of a lake until the end; wait for the one that is.

        Returns:
            The lease of a dead writer in whose place this one came.
        """
        if self._lake is not None:
            return None
        taken = take(lake_lease_store(storage), Lease(self.lease.owner, self.lease.task), waiting)
        self._lake = taken.held
        self._at_end.callback(taken.held.give_back)
        if not taken.held.shared:
            self._heartbeat.add(taken.held)
        return taken.from_dead

    def kept(self) -> bool:
        """Return whether nobody has judged this process dead."""
        return all(held.kept() for held in (self._own, self._lake) if held is not None)

    def fence(self) -> None:
        """Make sure that nobody has judged this process dead: asked before each publish.

        Raises:
            LeaseLostError: a lease was taken away; nothing may be published any more.
        """
        if not self.kept():
            raise LeaseLostError(
                f"{self.lease} stood still for so long that it was judged dead, and another run "
                "may have taken over its work. It has changed nothing since.",
                "Look on Dagster's pages, or at `conversion-platform status`, for the run that "
                "went on in its place; if there is none, run the same days again.",
            )


@contextmanager
def leases_of(home: Path, owner: str, task: str, keep: bool = False) -> Iterator[Leases]:
    """Hold the lease of a run or command, confirmed all the time.

    Args:
        home: The folder of Dagster's instance.
        owner: The id of the run or command.
        task: What it does, for messages.
        keep: Whether the lease stays behind at the end: that a run has ended is recorded after its
            process has done its last work, and it may die in between.
    """
    # What is given back is confirmed no more: the heartbeat ends first.
    with ExitStack() as at_end, Heartbeat() as heartbeat:
        own = lease_store(home, owner).replace(Lease(owner, task))
        at_end.callback(own.close if keep else own.give_back)
        heartbeat.add(own)
        with when_stopped(at_end.close):
            yield Leases(own, heartbeat, at_end)
