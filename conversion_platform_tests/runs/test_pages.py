"""Attacks on the real pages (fault R15): another site's page starts no run, ours does."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from conversion_platform_tests.command import environment
from conversion_platform_tests.runs.pages import (
    LAUNCH,
    VERSION,
    Served,
    new_platform,
    serving,
)
from conversion_platform_tests.servers import free_port

EVIL = {"Host": "evil.example", "Origin": "http://evil.example"}
# What a browser sends to another site without asking that site first.
SIMPLE_TYPES = (
    "text/plain",
    "text/plain; charset=application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=application/json",
)
AS_FRAGMENT = LAUNCH.replace("mutation launch", "fragment f on Mutation")
ENVELOPE = json.dumps({"query": LAUNCH})


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = new_platform(tmp_path_factory.mktemp("pages") / "platform")
    with serving(folder, "pages", "--allow-host", "pages.example.com") as served:
        yield served


def test_a_page_of_another_site_cannot_start_a_run(pages: Served) -> None:
    before = pages.launched()
    assert pages.get(EVIL, query=LAUNCH)[0] in (400, 403)
    assert pages.post(EVIL, LAUNCH)[0] in (400, 403)
    assert pages.launched() == before


def test_a_name_that_an_attacker_points_to_this_machine_is_refused(pages: Served) -> None:
    rebound = {"Host": f"evil.example:{pages.port}", "Origin": f"http://evil.example:{pages.port}"}
    for path in ("/", "/graphql", "/server_info", "/favicon.png", "/runs"):
        assert pages.ask("GET", path, rebound) == (400, "Invalid host header")
    assert pages.post(rebound, VERSION)[0] == 400
    assert pages.shake_hands(**rebound) in (400, 403)


@pytest.mark.parametrize("kind", SIMPLE_TYPES)
def test_a_form_or_script_of_another_site_cannot_post(pages: Served, kind: str) -> None:
    before = pages.launched()
    in_url = f"/graphql?{urllib.parse.urlencode({'query': LAUNCH})}"
    for origin in ("http://evil.example", "http://localhost:8000", "null"):
        headers = {"Origin": origin, "Content-Type": kind}
        assert pages.ask("POST", "/graphql", headers, ENVELOPE)[0] == 403
        assert pages.ask("POST", in_url, headers)[0] == 403
    assert pages.launched() == before


@pytest.mark.parametrize("kind", SIMPLE_TYPES)
def test_an_old_browser_that_names_no_origin_cannot_post_a_mutation(
    pages: Served, kind: str
) -> None:
    before = pages.launched()
    in_url = f"/graphql?{urllib.parse.urlencode({'query': LAUNCH})}"
    for path, body in (("/graphql", ENVELOPE), (in_url, ""), (in_url, ENVELOPE)):
        assert pages.ask("POST", path, {"Content-Type": kind}, body)[0] in (400, 405)
    assert pages.launched() == before


@pytest.mark.parametrize(
    "parameters",
    [
        [("query", LAUNCH)],
        [("query", f"{VERSION} {LAUNCH}"), ("operationName", "launch")],
        [("query", f"{LAUNCH} {VERSION}"), ("operationName", "launch")],
        [("query", VERSION), ("query", LAUNCH)],
        [("query", LAUNCH), ("query", LAUNCH)],
        [("query", f"# {VERSION}\n,,{LAUNCH}")],
        [("query", LAUNCH.replace("launch {", "launch($x: Int) {", 1)), ("variables", "{}")],
        [("query", f"mutation {{ ...f }} {AS_FRAGMENT}")],
    ],
)
def test_no_mutation_runs_by_get_however_it_is_written(
    pages: Served, parameters: list[tuple[str, str]]
) -> None:
    before = pages.launched()
    written = urllib.parse.urlencode(parameters)
    escaped = "&".join(f"{name}=" + every_byte_escaped(value) for name, value in parameters)
    for query in (written, escaped):
        assert pages.ask("GET", f"/graphql?{query}", {})[0] == 405
        assert pages.ask("GET", f"/%67raphql?{query}", {})[0] == 405
        pages.ask("GET", f"//graphql?{query}", {})
        pages.ask("GET", f"/graphql/?{query}", {})
        pages.ask("HEAD", f"/graphql?{query}", {})
    assert pages.launched() == before


def every_byte_escaped(text: str) -> str:
    return "".join(f"%{one:02x}" for one in text.encode())


def test_a_refusal_says_what_is_wrong(pages: Served) -> None:
    _, told = pages.get({}, query=LAUNCH)
    assert "by POST with Content-Type application/json" in json.loads(told)["errors"][0]["message"]
    _, told = pages.post({"Origin": "https://evil.example"}, VERSION)
    assert "page of another site (Origin 'https://evil.example'" in told
    assert "docs/operations.md" in told


def test_a_web_socket_opens_for_our_own_pages_only(pages: Served) -> None:
    assert pages.shake_hands(Origin=f"http://{pages.home}") == 101
    assert pages.shake_hands() == 101  # no browser
    for origin in ("http://evil.example", "http://localhost:8000", "null"):
        assert pages.shake_hands(Origin=origin) == 403
    assert pages.shake_hands(Host="evil.example") in (400, 403)


def test_our_own_pages_and_programs_without_a_browser_go_on(pages: Served) -> None:
    local = f"localhost:{pages.port}"
    for headers in (
        {},  # curl
        {"Origin": f"http://{pages.home}"},
        {"Host": local, "Origin": f"http://{local}"},
        {"Host": f"[::1]:{pages.port}", "Origin": f"http://[::1]:{pages.port}"},
        {"Host": "pages.example.com", "Origin": "https://pages.example.com"},  # a proxy
    ):
        assert pages.post(headers, VERSION)[0] == 200
        assert pages.get(headers, query=VERSION)[0] == 200
        assert pages.ask("GET", "/", headers)[0] == 200
        assert pages.shake_hands(**headers) == 101


def test_the_pages_listen_on_loopback_alone(pages: Served) -> None:
    sockets = psutil.Process(pages.process.pid).net_connections("inet")
    assert {one.laddr.ip for one in sockets if one.status == "LISTEN"} == {"127.0.0.1"}
    assert "Warning" not in pages.log.read_text()


def test_a_run_can_be_launched_by_post(pages: Served) -> None:
    before = pages.launched()
    status, told = pages.post({"Origin": f"http://{pages.home}"}, LAUNCH)
    assert (status, json.loads(told)["data"]["launchRun"]["__typename"]) == (
        200,
        "LaunchRunSuccess",
    )
    assert pages.launched() == before + 1


def test_a_proxy_that_ends_tls_and_says_so_lets_no_plain_page_in(pages: Served) -> None:
    name = {"Host": "pages.example.com", "X-Forwarded-Proto": "https"}
    assert pages.post(name | {"Origin": "https://pages.example.com"}, VERSION)[0] == 200
    assert pages.post(name | {"Origin": "http://pages.example.com"}, VERSION)[0] == 403


@pytest.mark.slow
def test_dagsters_own_webserver_falls_for_these_attacks(tmp_path: Path) -> None:
    """Why the guard exists. Should this fail one day, Dagster has learned it."""
    folder, port = new_platform(tmp_path / "platform"), free_port()
    with subprocess.Popen(
        [
            *(str(Path(sys.executable).with_name("dagster-webserver")), "-p", str(port)),
            *("-w", str(Path(__file__).parents[2] / "conversion_platform/runs/workspace.yaml")),
        ],
        cwd=folder,
        env=environment() | {"DAGSTER_HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        plain = Served(folder, process, Path(), port)
        try:
            for _ in range(600):
                try:
                    plain.ask("GET", "/server_info", {})
                except ConnectionRefusedError:
                    time.sleep(0.1)
            answers = [
                plain.get(EVIL, query=LAUNCH),
                plain.ask("POST", "/graphql", EVIL | {"Content-Type": SIMPLE_TYPES[1]}, ENVELOPE),
                plain.post(EVIL, LAUNCH),
            ]
        finally:
            process.terminate()
    assert [status for status, _ in answers] == [200, 200, 200]
    assert all("LaunchRunSuccess" in told for _, told in answers)
