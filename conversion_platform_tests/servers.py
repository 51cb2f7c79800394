"""Real servers for tests, each on a free loopback port in a temporary folder.

`postgres_server()` starts Debian's PostgreSQL, `s3_server()` starts ministack. The fixtures
`postgres` and `s3` share one of each for the whole session; every user of them takes a database or
a bucket of its own. A missing program skips the test, except in CI, where it fails.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

START_SECONDS = 30.0


@dataclass(frozen=True)
class PostgresServer:
    """A running PostgreSQL that trusts every connection from this machine."""

    port: int
    programs: Path

    def dsn(self, database: str = "postgres") -> str:
        return f"postgresql://dagster:quite-secret@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The DSN of an empty database of its own."""
        import psycopg

        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.dsn(), autocommit=True) as con:
            con.execute(f"CREATE DATABASE {name}")
        return self.dsn(name)


@dataclass(frozen=True)
class S3Server:
    """A running S3-compatible server."""

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 and s3fs need in the environment to talk to it, and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        }

    def client(self) -> Any:
        """A boto3 S3 client of this server."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )

    def files(self) -> Any:
        """A file system on this server, whatever the environment says."""
        from conversion_platform.lake import s3_files

        return s3_files(
            endpoint_url=self.endpoint,
            key="test",
            secret="test",
            client_kwargs={"region_name": "us-east-1"},
        )

    def new_bucket(self) -> str:
        """The name of an empty bucket of its own."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return name


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for as long as the block lasts."""
    programs = _postgres_programs()
    port = free_port()
    with _server_folder("pg-") as folder:
        data = folder / "data"
        if os.geteuid() == 0:  # the server refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
        initdb = [str(programs / "initdb"), "-D", str(data), "-U", "dagster", "-A", "trust"]
        _as_postgres([*initdb, "--no-sync", "-E", "UTF8", "--locale=C"])
        control = [str(programs / "pg_ctl"), "-w", "-D", str(data)]
        options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
        _as_postgres([*control, "-o", options, "-l", str(folder / "log"), "start"])
        try:
            yield PostgresServer(port, programs)
        finally:
            _as_postgres([*control, "-m", "immediate", "stop"])


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """A ministack server with S3 only, for as long as the block lasts."""
    program = Path(sys.executable).with_name("ministack")
    if not program.exists():
        missing("ministack")
    port = free_port()
    with _server_folder("s3-") as folder, (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(program)],
            env=os.environ | _ministack_environment(port, folder),
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_for_port(port, process, folder / "log")
            yield S3Server(f"http://127.0.0.1:{port}")
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ministack_environment(port: int, folder: Path) -> dict[str, str]:
    """Loopback only: ministack's defaults listen on every interface."""
    return {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SERVICES": "s3",
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
    }


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _server_folder(prefix: str) -> Iterator[Path]:
    """A short-named folder (a socket's path has 107 bytes at most) that is removed after."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgres_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        missing("PostgreSQL")
    return Path(str(on_path)).parent


def missing(program: str) -> None:
    """Skips, except where CI promises that every program is installed."""
    if os.environ.get("CI"):
        pytest.fail(f"{program} is not installed, and CI is set")
    pytest.skip(f"{program} is not installed")


def _as_postgres(command: list[str]) -> None:
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*prefix, *command],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # pg_ctl hands its output on to the server: a pipe would hang
        stderr=subprocess.DEVNULL,
        timeout=START_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed with code {done.returncode}")


def _wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server for the session."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """One S3 server for the session. See also `s3_environment`."""
    with s3_server() as server:
        yield server


@pytest.fixture
def s3_environment(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The session's S3 server, with the environment pointed at it for this test."""
    for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in s3.environment.items():
        monkeypatch.setenv(variable, value)
    return s3
