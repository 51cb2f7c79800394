"""What a lease says: who holds it, for what, and how often it has been confirmed."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, field, replace

from conversion_platform.liveness.process import Process, this_process

COUNT_DIGITS = 20


@dataclass(frozen=True)
class Lease:
    """A lease as others read it.

    Attributes:
        owner: Id of the Dagster run, or of the command, that holds it.
        task: What that does, for messages.
        process: The process that does it.
        token: Differs with each lease that was ever taken.
        count: Goes up as long as the process lives. No time stands in a lease, because the
            clocks of two hosts do not agree.
    """

    owner: str
    task: str
    process: Process = field(default_factory=this_process)
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    count: int = 0

    def __str__(self) -> str:
        return f"{self.task} ({self.process})"

    def confirmed(self) -> Lease:
        """Return the lease with a count that is higher by one."""
        return replace(self, count=self.count + 1)

    def encoded(self) -> bytes:
        """Return the lease as bytes: the count, at the same place always, then the rest."""
        named = {name: value for name, value in asdict(self).items() if name != "count"}
        return encoded_count(self.count) + json.dumps(named, sort_keys=True).encode()


def encoded_count(count: int) -> bytes:
    """Return the bytes with which a lease begins."""
    return f"{count:0{COUNT_DIGITS}}\n".encode()


def decoded(data: bytes) -> Lease | None:
    """Return the lease in `data`, or None if there is none (it was given back, or is damaged)."""
    count, _, rest = data.partition(b"\n")
    try:
        named = json.loads(rest)
        process = Process(**named.pop("process"))
        return Lease(**named, process=process, count=int(count))
    except (ValueError, KeyError, TypeError):
        return None
