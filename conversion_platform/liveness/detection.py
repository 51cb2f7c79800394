"""Whether the holder of a lease is dead: by its process where that can be seen, else by its count.

No clock of another host is read. Each observation notes the count; a holder whose count is the
same in `OBSERVATIONS_UNTIL_DEAD` of them, each at least `OBSERVE_SECONDS` after the one before, is
judged dead.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Self

from conversion_platform.liveness.lease import Lease
from conversion_platform.liveness.process import State, state_of

OBSERVATIONS_UNTIL_DEAD = 4
OBSERVE_SECONDS = 25
"""Dagster evaluates a sensor up to 5 s after it is due: with 30, a slot was free after 120 s."""


def process_is_gone(lease: Lease) -> bool:
    """Return whether the holder's process is gone, as far as this host can see."""
    return state_of(lease.process) == State.GONE


@dataclass(frozen=True)
class Observed:
    """What is known of one holder: its count, and in how many observations it was that."""

    count: int
    times: int


@dataclass
class Observations:
    """What is known of all holders, for one round of observations; each round follows another.

    Attributes:
        before: What the last round knew.
        now: What this one knows; a holder that it does not observe is forgotten.
    """

    before: dict[str, Observed] = field(default_factory=dict)
    now: dict[str, Observed] = field(default_factory=dict)

    def next(self) -> Self:
        """Return the round after this one."""
        return type(self)(self.now)

    def observe(self, lease: Lease) -> bool:
        """Note the count of a lease's holder; return whether the holder is dead."""
        state = state_of(lease.process)
        if state == State.GONE:
            return True
        if state == State.RUNNING:
            return False
        return self.observe_count(lease.token, lease.count) >= OBSERVATIONS_UNTIL_DEAD

    def observe_count(self, holder: str, count: int) -> int:
        """Note a holder's count; return in how many rounds, this one included, it was the same."""
        last = self.before.get(holder)
        times = last.times + 1 if last is not None and last.count == count else 1
        self.now[holder] = Observed(count, times)
        return times

    def encoded(self) -> str:
        """Return what this round knows, for the next one in another process."""
        return json.dumps({name: [one.count, one.times] for name, one in self.now.items()})

    @classmethod
    def decoded(cls, text: str | None) -> Self:
        """Return the round after the one that was encoded; the first one for None."""
        known = json.loads(text or "{}")
        return cls({name: Observed(count, times) for name, (count, times) in known.items()})
