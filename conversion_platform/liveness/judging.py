"""Whether the holder of a lease is dead: by its process where that can be seen, else by its count.

No clock of another host is read. A look takes the count down; a holder whose count is the same in
`LOOKS` looks, each at least `LOOK_SECONDS` after the one before, is judged dead.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Self

from conversion_platform.liveness.lease import Lease
from conversion_platform.liveness.process import State, state_of

LOOKS = 4
LOOK_SECONDS = 30


@dataclass(frozen=True)
class Seen:
    """What the looks so far have seen of one holder: a count, and in how many of them."""

    count: int
    looks: int


@dataclass
class Looks:
    """What the looks so far have seen, by holder. One look is one `Looks`, made from the last.

    Attributes:
        before: What the last look knew.
        now: What this one knows; a holder that it did not ask about is forgotten.
    """

    before: dict[str, Seen] = field(default_factory=dict)
    now: dict[str, Seen] = field(default_factory=dict)

    def next(self) -> Self:
        """Return the look after this one."""
        return type(self)(self.now)

    def is_dead(self, lease: Lease) -> bool:
        """Return whether the holder of a lease is dead."""
        state = state_of(lease.process)
        if state == State.GONE:
            return True
        if state == State.RUNNING:
            return False
        return self.unchanged(lease.token, lease.count) >= LOOKS

    def unchanged(self, holder: str, count: int) -> int:
        """Return in how many looks, this one included, the holder had the count that it has."""
        last = self.before.get(holder)
        looks = last.looks + 1 if last is not None and last.count == count else 1
        self.now[holder] = Seen(count, looks)
        return looks

    def encoded(self) -> str:
        """Return what this look knows, for the next one in another process."""
        return json.dumps({name: [seen.count, seen.looks] for name, seen in self.now.items()})

    @classmethod
    def decoded(cls, text: str | None) -> Self:
        """Return the look after the one that was encoded; the first one for None."""
        known = json.loads(text or "{}")
        return cls({name: Seen(count, looks) for name, (count, looks) in known.items()})
