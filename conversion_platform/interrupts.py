"""Ctrl-C and SIGTERM: kept out of native code, and never lost."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

HELD = (signal.SIGINT, signal.SIGTERM)
# By name: the second is Dagster's, whose import takes a second.
INTERRUPTIONS = ("KeyboardInterrupt", "DagsterExecutionInterruptedError")
INTERRUPTED_QUERY = "Query interrupted"  # DuckDB's word, in an error of no name of its own
AGAIN_AFTER_SECONDS = 0.05


def is_interrupt(name: str | None, message: str) -> bool:
    """Whether an error is an interrupt, or what DuckDB makes of one that meets a query.

    Args:
        name: Its class, by name: no more is known of an error in Dagster's log.
        message: Its words.
    """
    return name in INTERRUPTIONS or INTERRUPTED_QUERY in message


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Delivers an interrupt that comes meanwhile at the end of the block, not inside it.

    For native code: a handler that raises inside a callback of ctypes loses its exception, and
    XGBoost goes on with a matrix that is not whole. It has died of that, with its memory in
    disorder. And for clearing up, which would leave half behind.
    """
    if threading.current_thread() is not threading.main_thread():  # signals do not come here
        yield
        return
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in HELD}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for one in came:
        signal.raise_signal(one)


@contextmanager
def lost_interrupts_sent_again() -> Iterator[None]:
    """Sends an interrupt again that was raised where Python can only ignore it.

    A handler may run inside a destructor, a callback of the garbage collector or one of native
    code: what it raises there is printed and forgotten, and the work goes on as if nobody had
    asked it to stop. It comes again a moment later, until it finds code that it can stop.
    """
    before = sys.unraisablehook

    def again(lost: sys.UnraisableHookArgs) -> None:
        if lost.exc_type.__name__ in INTERRUPTIONS:
            thread = threading.Timer(AGAIN_AFTER_SECONDS, _interrupt_main_thread)
            thread.daemon = True
            thread.start()
        else:
            before(lost)

    sys.unraisablehook = again
    try:
        yield
    finally:
        sys.unraisablehook = before


def _interrupt_main_thread() -> None:
    ident = threading.main_thread().ident
    if ident is not None:
        signal.pthread_kill(ident, signal.SIGINT)
