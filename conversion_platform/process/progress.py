"""How far a long loop is: the loop says it, and the run that it is a part of listens."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Listener = Callable[[int, int, str], None]
Item = TypeVar("Item")

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def progress_listener(listener: Listener) -> Iterator[None]:
    """Have `listener` told, inside the block, how many items are done, of how many, and of what."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def with_progress(items: Collection[Item], what: str = "days") -> Iterator[Item]:
    """Go through items that each take a while, saying how many of `what` are done."""
    listener = _listener.get()
    for done, item in enumerate(items):
        if listener:
            listener(done, len(items), what)
        yield item
    if listener:
        listener(len(items), len(items), what)
