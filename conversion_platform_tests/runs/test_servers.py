"""`dev`, `pages` and `daemon` as a terminal, a service manager and a power cut treat them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from conversion_platform.cli.main import main
from conversion_platform.errors import ServerError
from conversion_platform.runs.servers import Address, daemon_lock, listening
from conversion_platform.settings import CONFIG_NAME
from conversion_platform_tests import killing
from conversion_platform_tests.command import call
from conversion_platform_tests.runs.pages import (
    Served,
    new_platform,
    serving,
    start,
    wait_until_ready,
)

STOP_SECONDS = 10.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_platform(tmp_path / "platform")


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return a process and all that it started."""
    one = psutil.Process(process.pid)
    return [one, *one.children(recursive=True)]


def left_over(processes: list[psutil.Process]) -> list[str]:
    """Return the command lines of those that still run a while after they were told to stop."""
    for _ in range(100):
        left = [
            " ".join(one.cmdline())
            for one in processes
            if one.is_running() and one.status() != psutil.STATUS_ZOMBIE
        ]
        if not left:
            break
        time.sleep(0.1)
    return left


def wait_for(served: Served, words: str) -> None:
    """Return when the process has printed `words`."""
    for _ in range(1_200):
        if words in served.log.read_text():
            return
        time.sleep(0.1)
    raise TimeoutError(served.log.read_text())


def started_dev(folder: Path) -> Served:
    """Return `dev` with pages, daemon and both code servers at work."""
    served = start(folder, "dev", "--port", "0")
    wait_until_ready(served)
    wait_for(served, "Instance is configured with the following daemons")
    return served


def ended(served: Served) -> tuple[int, float]:
    """Wait for the end of a process, and return its exit code and how long it took."""
    before = time.monotonic()
    return served.process.wait(60), time.monotonic() - before


def test_two_daemons_of_one_dagster_home_are_refused(tmp_path: Path) -> None:
    told = f"{tmp_path} runs already .process {os.getpid()}."
    with daemon_lock(tmp_path), pytest.raises(ServerError, match=told), daemon_lock(tmp_path):
        pass
    with daemon_lock(tmp_path):  # free again
        pass


def test_the_lock_lives_as_long_as_a_process_that_inherited_it(tmp_path: Path) -> None:
    with daemon_lock(tmp_path) as lock:
        sleeper = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=(lock,)
        )
    with pytest.raises(ServerError), daemon_lock(tmp_path):
        pass
    sleeper.kill()
    sleeper.wait()
    with daemon_lock(tmp_path):
        pass


def test_a_port_that_is_taken_is_one_message(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, _, errors = call(folder, "pages", "--port", port)
    assert code == 1
    assert errors.splitlines() == [
        f"Error: Dagster's pages cannot listen on 127.0.0.1, port {port}: Address already in use.",
        "What to do: Stop what listens there, or name another --port or --host.",
    ]


@pytest.mark.parametrize(
    "name", ["https://pages.example.com", "pages.example.com:443", "*", "*.example.com", "a b", ""]
)
def test_what_is_no_name_of_a_host_cannot_be_allowed(name: str) -> None:
    shown = CliRunner().invoke(main, ["pages", "--allow-host", name])
    assert shown.exit_code == 2
    assert "is not the name of a host" in shown.output


@contextmanager
def watched(served: Served) -> Iterator[None]:
    """Hold a web socket open, as a browser that shows the pages does."""
    with socket.create_connection(("127.0.0.1", served.port)) as watching:
        watching.sendall(
            b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Protocol: graphql-ws\r\n\r\n"
        )
        assert b" 101 " in watching.recv(1024)
        yield


@pytest.mark.slow
@pytest.mark.parametrize("told", ["ctrl-c in the terminal", "sigterm", "sigterm to every process"])
def test_dev_ends_within_10_seconds_and_leaves_no_process(folder: Path, told: str) -> None:
    served = started_dev(folder)
    everybody = family(served.process)
    assert len(everybody) >= 4  # pages, their code server, the daemon, its code server
    with watched(served):
        if told == "ctrl-c in the terminal":
            os.killpg(served.process.pid, signal.SIGINT)
        else:
            for one in everybody if told == "sigterm to every process" else everybody[:1]:
                one.terminate()
        code, seconds = ended(served)
    assert (code, left_over(everybody)) == (0, []), served.log.read_text()
    assert seconds < STOP_SECONDS


@pytest.mark.slow
def test_a_second_dev_is_refused_and_the_first_goes_on(folder: Path) -> None:
    with serving(folder, "dev") as first:
        for words in (("dev", "--port", "0"), ("daemon",)):
            code, _, errors = call(folder, *words)
            assert code == 1
            assert "runs already (process" in errors
            assert str(first.process.pid) in errors
            assert "What to do: Stop that process first" in errors
        with serving(folder, "pages") as beside:
            assert beside.ask("GET", "/server_info", {})[0] == 200
        assert first.ask("GET", "/server_info", {})[0] == 200


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
def test_a_killed_dev_takes_its_daemon_along_and_the_next_one_starts(folder: Path) -> None:
    served = started_dev(folder)
    daemon = next(one for one in family(served.process) if "dagster._daemon" in one.cmdline())
    served.process.kill()
    served.process.wait()
    assert left_over([daemon]) == []
    with serving(folder, "dev") as again:
        assert again.ask("GET", "/server_info", {})[0] == 200


@pytest.mark.slow
def test_dev_ends_with_an_error_when_its_daemon_dies(folder: Path) -> None:
    served = started_dev(folder)
    everybody = family(served.process)
    next(one for one in everybody if "dagster._daemon" in one.cmdline()).kill()
    code, _ = ended(served)
    assert (code, left_over(everybody)) == (1, [])
    assert "Error: Dagster's daemon ended by itself (exit code -9)." in served.log.read_text()


@pytest.mark.slow
def test_the_daemon_alone_ends_on_sigterm_though_a_shell_started_it_in_the_background(
    folder: Path,
) -> None:
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)  # what a script's `&` hands on
    try:
        served = start(folder, "daemon")
    finally:
        signal.signal(signal.SIGINT, ignored)
    wait_for(served, "Instance is configured with the following daemons")
    everybody = family(served.process)
    os.killpg(served.process.pid, signal.SIGTERM)
    code, seconds = ended(served)
    assert (code, left_over(everybody)) == (0, []), served.log.read_text()
    assert seconds < STOP_SECONDS


def test_an_address_of_ipv6_can_be_listened_on() -> None:
    with listening(Address("::1", 0, ())) as listener:
        assert listener.getsockname()[0] == "::1"


@pytest.mark.slow
def test_a_person_who_opens_the_pages_to_other_machines_is_warned(folder: Path) -> None:
    with serving(folder, "pages", "--host", "0.0.0.0") as served:
        assert "the pages have no login" in served.log.read_text()
        assert served.ask("GET", "/", {"Host": f"10.0.0.5:{served.port}"})[0] == 400


@pytest.mark.slow
def test_processes_that_open_a_new_instance_at_once_do_not_break_it(folder: Path) -> None:
    """Without a lock two of them make its databases, and nothing opens it any more."""
    script = (
        "import sys\n"
        "from conversion_platform.runs.instance import open_instance\n"
        "from conversion_platform.settings import load_settings\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "with open_instance(load_settings(sys.argv[1])) as instance:\n"
        "    assert instance.get_runs_count() == 0\n"
    )
    together = [killing.start(script, str(folder / CONFIG_NAME)) for _ in range(4)]
    for one in together:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in together:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in together:
        killing.finish(one)
