"""The processes of an installation that stay: Dagster's pages, and its daemon.

`dev` is both; on a server each runs alone. The daemon starts schedules, sensors and runs; two on
one DAGSTER_HOME would start them twice, so the first one holds a lock.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from conversion_platform.errors import ServerError
from conversion_platform.settings import CONFIG_VARIABLE, Settings
from conversion_platform.terminal import console, styled

WORKSPACE = Path(__file__).with_name("workspace.yaml")
LOCK_NAME = "daemon.lock"
STOP_SECONDS = 5.0
LOOPBACK = ("localhost", "127.", "::1")
SIGNAL_AT_PARENTS_DEATH, ADOPT_ORPHANS = 1, 36  # Linux: PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER


@dataclass(frozen=True)
class Address:
    """Where the pages are reached.

    Attributes:
        host: Name or number of the interface to listen on.
        port: 0 for any free one.
        allowed_hosts: Names besides those of loopback by which browsers reach the pages.
    """

    host: str
    port: int
    allowed_hosts: tuple[str, ...]


def serve_all(settings: Settings, address: Address) -> None:
    """Serve Dagster's pages and run its daemon until Ctrl-C or SIGTERM.

    Raises:
        ServerError: the port is taken, a daemon runs already, or the daemon failed.
    """
    with (
        stopped_by_signals(),
        daemon_lock(share_installation(settings)) as lock,
        listening(address) as listener,
        daemon_beside(lock),
    ):
        _serve(listener, address)


def serve_pages(settings: Settings, address: Address) -> None:
    """Serve Dagster's pages alone until Ctrl-C or SIGTERM.

    Raises:
        ServerError: the port is taken.
    """
    with stopped_by_signals():
        share_installation(settings)
        with listening(address) as listener:
            _serve(listener, address)


def become_daemon(settings: Settings) -> NoReturn:
    """Turn this process into Dagster's daemon.

    Raises:
        ServerError: a daemon runs already.
    """
    with daemon_lock(share_installation(settings)) as lock:
        os.set_inheritable(lock, True)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # also where a shell's `&` had it ignored
        os.execv(sys.executable, daemon_command())  # noqa: S606 - our own words, no shell needed


def share_installation(settings: Settings) -> Path:
    """Tell Dagster and the processes that it starts which instance and settings to use.

    Returns:
        The folder of the instance.

    Raises:
        SettingsError: Dagster's own processes would not find its settings there.
    """
    from conversion_platform.defs.resources import require_readable_home
    from conversion_platform.runs.instance import HOME_VARIABLE, dagster_home, open_instance

    home = dagster_home(settings)
    require_readable_home(str(home))
    with open_instance(settings):  # makes its databases, before two processes do at once
        pass
    os.environ[HOME_VARIABLE] = str(home)
    if settings.file:
        os.environ[CONFIG_VARIABLE] = str(settings.file)
    return home


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the block; to a server they are no failure."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's `&` may have them ignored
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        yield


@contextmanager
def listening(address: Address) -> Iterator[socket.socket]:
    """Yield a socket that listens at the address.

    Raises:
        ServerError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listener = socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # Python adds the address to some
        raise ServerError(
            f"Dagster's pages cannot listen on {address.host}, port {address.port}: {reason}.",
            "Stop what listens there, or name another --port or --host.",
        ) from error
    with listener:
        yield listener


def _serve(listener: socket.socket, address: Address) -> None:
    from conversion_platform.runs.webserver import serve

    host = f"[{address.host}]" if ":" in address.host else address.host
    out = console()
    out.print("Dagster's pages: loading ...")
    if not address.host.startswith(LOOPBACK):
        out.print(
            styled(
                ("Warning:", "bold yellow"),
                f" {host} can be reached from other machines, and the pages have no login: put one "
                "in front of them (docs/operations.md).",
            ),
            soft_wrap=True,
        )
    place = f"http://{host}:{listener.getsockname()[1]}"
    serve(
        listener,
        address.allowed_hosts,
        ready=lambda: out.print(f"Dagster's pages: {place} (Ctrl-C stops)", soft_wrap=True),
    )


@contextmanager
def daemon_lock(home: Path) -> Iterator[int]:
    """Hold the lock of the one daemon of a DAGSTER_HOME.

    Yields:
        The lock's file descriptor. A process that inherits it holds the lock too; when the last
        one has died, however it died, the lock is free.

    Raises:
        ServerError: another process holds it.
    """
    with (home / LOCK_NAME).open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ServerError(
                f"Dagster's daemon of {home} runs already (process {file.read() or 'unknown'}).",
                "Stop that process first; `conversion-platform pages` shows the pages beside it.",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file.fileno()


def daemon_command() -> list[str]:
    """Return the command line of Dagster's daemon on our code location."""
    from conversion_platform.runs.dagster_internals import DAEMON_MODULE

    return [sys.executable, "-m", DAEMON_MODULE, "run", "-w", str(WORKSPACE)]


@contextmanager
def daemon_beside(lock: int) -> Iterator[None]:
    """Run Dagster's daemon as long as the block lasts; the block ends if the daemon does.

    The daemon has its own process group: Ctrl-C in a terminal reaches this process alone, which
    stops all of it in order.

    Args:
        lock: What `daemon_lock` yielded; the daemon holds it too.

    Raises:
        ServerError: the daemon failed.
    """
    _linux_prctl(ADOPT_ORPHANS, 1)
    daemon = subprocess.Popen(  # noqa: S603 - our own words
        daemon_command(), pass_fds=(lock,), process_group=0, preexec_fn=_end_with_parent
    )
    stopping = threading.Event()
    threading.Thread(target=_interrupt_after, args=(daemon, stopping), daemon=True).start()
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        failed = daemon.poll()
        stopping.set()
        _stop(daemon)
    if failed:
        raise ServerError(
            f"Dagster's daemon ended by itself (exit code {failed}).",
            "Its last lines above say why; start again when that is corrected.",
        )


def _linux_prctl(option: int, value: int) -> None:
    if sys.platform == "linux":  # elsewhere we do without
        ctypes.CDLL(None).prctl(option, value)


def _end_with_parent() -> None:
    """Have the daemon stopped when this process dies, so that `kill -9` leaves none behind."""
    _linux_prctl(SIGNAL_AT_PARENTS_DEATH, signal.SIGTERM)


def _interrupt_after(daemon: subprocess.Popen[bytes], stopping: threading.Event) -> None:
    daemon.wait()
    if not stopping.is_set():
        os.kill(os.getpid(), signal.SIGTERM)


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    """End the daemon with its code server and runs: asked first, killed after STOP_SECONDS."""
    until = time.monotonic() + STOP_SECONDS
    try:
        lives = _signal_group(daemon, signal.SIGTERM)
        while lives and time.monotonic() < until:
            time.sleep(0.1)
            lives = _signal_group(daemon, 0)
    finally:
        _signal_group(daemon, signal.SIGKILL)
        daemon.wait()


def _signal_group(daemon: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to the daemon's process group, and return whether it has processes."""
    with suppress(ChildProcessError):  # a dead one counts as alive until its parent has asked
        while os.waitpid(-daemon.pid, os.WNOHANG)[0]:
            pass
    try:
        os.killpg(daemon.pid, number)
    except ProcessLookupError:
        return False
    return True
