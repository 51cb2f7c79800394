"""What the runs of an instance are doing: asked before its files are copied or replaced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from conversion_platform.defs.liveness import AT_WORK
from conversion_platform.liveness import Lease, lease_owners, lease_store, process_is_gone

HEARTBEAT_SECONDS = 60  # the daemon writes one every 30


class RunActivity:
    """The runs of one instance.

    Args:
        instance: Where they are recorded; None for an installation that has none yet.
    """

    def __init__(self, instance: dg.DagsterInstance | None) -> None:
        self._instance = instance

    def under_way(self) -> str | None:
        """Return which run or command is under way, in words; None if none is."""
        if self._instance is None:
            return None
        for lease in _leases_of_commands(self._instance):
            return f"{lease} is under way"
        for record in self._instance.get_run_records(dg.RunsFilter(statuses=AT_WORK), limit=1):
            run, since = record.dagster_run, record.create_timestamp
            return f"run {run.run_id} of job {run.job_name} is under way, since {since:%H:%M} UTC"
        return None

    def mark(self) -> str:
        """Return a text that is another one after any change of any run."""
        if self._instance is None:
            return ""
        newest = self._instance.get_run_records(limit=1, order_by="update_timestamp")
        return " ".join(f"{one.dagster_run.run_id} {one.update_timestamp}" for one in newest)

    def daemon(self) -> str | None:
        """Return that a daemon uses the instance, in words; None if there is no sign of one."""
        if self._instance is None:
            return None
        beats = [one.timestamp for one in self._instance.get_daemon_heartbeats().values()]
        age = datetime.now(UTC).timestamp() - max(beats, default=0.0)
        if age > HEARTBEAT_SECONDS:
            return None
        return f"Dagster's daemon is running, or was {age:.0f} seconds ago"


def _leases_of_commands(instance: dg.DagsterInstance) -> Iterator[Lease]:
    """Yield the leases of commands that live, as far as this host can see.

    Between two of its runs a command has none that is under way.
    """
    home = Path(instance.root_directory)
    for owner in lease_owners(home):
        lease = lease_store(home, owner).read()
        if lease and not process_is_gone(lease) and instance.get_run_by_id(owner) is None:
            yield lease
