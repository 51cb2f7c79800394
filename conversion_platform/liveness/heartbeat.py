"""Confirms leases in a thread, as long as the process lives.

A thread of Python goes on while DuckDB or XGBoost work, which let go of the interpreter. Code that
does not is seen to run by every process of the same host (`state_of`).
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from conversion_platform.errors import PlatformError
from conversion_platform.liveness.lease_stores import Held

BEAT_SECONDS = 5.0


class Heartbeat:
    """Confirms what it is given, until the block ends."""

    def __init__(self, seconds: float = BEAT_SECONDS) -> None:
        self._seconds = seconds
        self._held: list[Held] = []
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="leases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()

    def add(self, held: Held) -> None:
        """Confirm this one too."""
        with self._lock:
            self._held.append(held)

    def _beat(self) -> None:
        while not self._end.wait(self._seconds):
            with self._lock:
                held = list(self._held)
            for one in held:
                _confirm(one)


def _confirm(held: Held) -> None:
    try:
        held.confirm()
    except (OSError, PlatformError):
        return  # the next beat tries again; to be judged dead takes many that are missed
