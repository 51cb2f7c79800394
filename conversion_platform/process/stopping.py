"""Ctrl-C and SIGTERM: leave at once, whatever the work is doing.

A command works in a thread of its own. The main thread, to which Python gives the signals, only
waits for it: no native code can hold a signal up, and no handler raises inside of it. The process
then leaves without unwinding the work. A killed process leaves whole partitions behind; what must
be said or removed all the same is registered with `when_stopped`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial, wraps
from pathlib import Path
from types import FrameType
from typing import ParamSpec, TypeVar

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOPPED = "Stopped. Nothing is half written; run the same command again to go on."
EACH_SECONDS, ALL_SECONDS = 4.0, 8.0  # for what is registered
STANDARD_ERROR = 2
LOOK_SECONDS = 0.5  # another thread may have been given the signal; the main one hears of it then

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_when_stopped: list[Callable[[], None]] = []


@contextmanager
def when_stopped(do: Callable[[], None]) -> Iterator[None]:
    """Have `do` called, in a thread beside the work, if the process is stopped inside the block."""
    _when_stopped.append(do)
    try:
        yield
    finally:
        _when_stopped.remove(do)


@contextmanager
def removed_when_stopped(path: Path) -> Iterator[None]:
    """Have a file or folder removed if the process is stopped inside the block."""
    with when_stopped(partial(_remove, path)):
        yield


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def stoppable(command: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a command that Ctrl-C and SIGTERM end within seconds, with one line."""

    @wraps(command)
    def run(*args: Arguments.args, **options: Arguments.kwargs) -> Result:
        if threading.current_thread() is not threading.main_thread():
            return command(*args, **options)  # it gets no signals, and may set no handler
        with _leaving_at_signals(), ThreadPoolExecutor(1, "work") as worker:
            work = worker.submit(copy_context().run, partial(command, *args, **options))
            while not wait([work], LOOK_SECONDS).done:
                pass
            return work.result()

    return run


@contextmanager
def _leaving_at_signals() -> Iterator[None]:
    before = {number: signal.signal(number, _leave) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, _frame: FrameType | None) -> None:
    """Call what was registered, the newest first, say so, and end the process."""
    for again in SIGNALS:
        signal.signal(again, signal.SIG_IGN)
    threading.excepthook = lambda _: None  # one line is said, whatever else breaks now
    until = time.monotonic() + ALL_SECONDS
    for do in [*reversed(_when_stopped), sys.stdout.flush]:
        call = threading.Thread(target=do, daemon=True)  # neither its error nor its time stops us
        call.start()
        call.join(min(EACH_SECONDS, max(0.0, until - time.monotonic())))
    os.write(STANDARD_ERROR, f"\n{STOPPED}\n".encode())
    os._exit(128 + number)
