"""Dagster's pages in a process of their own, and requests that a browser or an attacker sends."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from conversion_platform.runs.instance import open_instance
from conversion_platform_tests.command import CALL, environment
from conversion_platform_tests.tiny_platform import TOML, settings_in

START_SECONDS = 120.0
READY = re.compile(r"Dagster's pages: http://\S+:(\d+) ")
LAUNCH = """mutation launch { launchRun(executionParams: {
  selector: {repositoryLocationName: "conversion_platform", repositoryName: "__repository__",
    jobName: "daily"},
  runConfigData: {},
  executionMetadata: {tags: [{key: "dagster/partition", value: "2026-01-05"}]}
}) { __typename } }"""
VERSION = "query harmless { version }"
AS_JSON = {"Content-Type": "application/json"}


@dataclass
class Served:
    """A process that serves pages."""

    folder: Path
    process: subprocess.Popen[bytes]
    log: Path
    port: int = field(default=0)

    @property
    def home(self) -> str:
        return f"127.0.0.1:{self.port}"

    def launched(self) -> int:
        """Return how many runs the instance holds."""
        with open_instance(settings_in(self.folder)) as instance:
            return instance.get_runs_count()

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: str = ""
    ) -> tuple[int, str]:
        """Send one request just as it is written; Host is ours where `headers` has none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": self.home, **headers}.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body.encode())))
        connection.endheaders(body.encode())
        answer = connection.getresponse()
        text = "" if answer.status == 101 else answer.read().decode()
        connection.close()
        return answer.status, text

    def get(self, headers: dict[str, str], **parameters: str) -> tuple[int, str]:
        """Send a GraphQL query by GET."""
        return self.ask("GET", f"/graphql?{urllib.parse.urlencode(parameters)}", headers)

    def post(self, headers: dict[str, str], query: str) -> tuple[int, str]:
        """Send a GraphQL query as JSON by POST."""
        return self.ask("POST", "/graphql", AS_JSON | headers, json.dumps({"query": query}))

    def shake_hands(self, **headers: str) -> int:
        """Return the status with which a web socket is opened (101) or refused."""
        handshake = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol": "graphql-ws",
        }
        return self.ask("GET", "/graphql", handshake | headers)[0]


def new_platform(folder: Path) -> Path:
    """Return a folder with settings and nothing else: enough for the code location to load."""
    folder.mkdir(parents=True)
    (folder / "conversion_platform.toml").write_text(TOML, "utf-8")
    return folder


def start(folder: Path, *words: str) -> Served:
    """Start `conversion-platform WORDS` on a folder, in a session of its own."""
    command = [sys.executable, "-c", CALL, "--config", "conversion_platform.toml", *words]
    log = folder / f"{words[0]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment() | {"COLUMNS": "200"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Served(folder, process, log)


def wait_until_ready(served: Served) -> None:
    """Return when the pages are served; their port is known then."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and served.process.poll() is None:
        ready = READY.search(served.log.read_text())
        if ready:
            served.port = int(ready.group(1))
            return
        time.sleep(0.1)
    raise TimeoutError(served.log.read_text())


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[Served]:
    """Serve pages by `conversion-platform WORDS`, on a free port, while the block lasts."""
    served = start(folder, *words, "--port", "0")
    try:
        wait_until_ready(served)
        yield served
    finally:
        served.process.send_signal(signal.SIGTERM)
        try:
            served.process.wait(60)
        except subprocess.TimeoutExpired:
            served.process.kill()
            served.process.wait()


def runs(folder: Path) -> list[dg.DagsterRun]:
    """Return the runs of a folder's instance."""
    with open_instance(settings_in(folder)) as instance:
        return list(instance.get_runs())
