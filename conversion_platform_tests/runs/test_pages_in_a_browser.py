"""A person's browser: our pages work through the guard, and another site's page is refused."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conversion_platform_tests.runs.pages import Served, new_platform, serving
from conversion_platform_tests.servers import missing

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 60_000  # milliseconds for a page on a busy machine
# What a page of another site can try without a person's doing.
ATTACK = """async (pages) => {
  const mutation = "mutation { launchRun(executionParams: {}) { __typename } }"
  const got = {}
  const send = async (name, url, options) => {
    try { got[name] = (await fetch(url, options)).type } catch (error) { got[name] = "blocked" }
  }
  await send("simple", pages + "/graphql",
    {mode: "no-cors", method: "POST", body: JSON.stringify({query: mutation}),
     headers: {"Content-Type": "text/plain; as=application/json"}})
  await send("json", pages + "/graphql",
    {method: "POST", body: JSON.stringify({query: mutation}),
     headers: {"Content-Type": "application/json"}})
  await send("image", pages + "/graphql?query=" + encodeURIComponent(mutation), {mode: "no-cors"})
  got.socket = await new Promise((done) => {
    const socket = new WebSocket(pages.replace("http", "ws") + "/graphql", "graphql-ws")
    socket.onopen = () => done("open")
    socket.onerror = () => done("blocked")
  })
  return got
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = new_platform(tmp_path_factory.mktemp("browser") / "platform")
    with serving(folder, "pages") as served:
        yield served


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a headless chromium, to which evil.example is this machine."""
    from playwright.sync_api import sync_playwright

    if not CHROMIUM.exists():
        missing("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"],
        )
        opened = chromium.new_page()
        opened.set_default_timeout(PATIENCE)
        yield opened
        chromium.close()


@contextmanager
def another_site() -> Iterator[int]:
    """Yield the port of a web site that has nothing to do with us."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_the_graph_loads_a_run_is_launched_and_its_events_arrive(pages: Served, page: Page) -> None:
    address = f"http://localhost:{pages.port}"
    refused: list[str] = []
    received: list[str] = []
    page.on("response", lambda one: refused.append(one.url) if one.status >= 400 else None)
    page.on(
        "websocket",
        lambda one: one.on("framereceived", lambda frame: received.append(str(frame))),
    )
    page.goto(f"{address}/asset-groups")
    page.get_by_text("marketplace").first.wait_for()
    page.goto(f"{address}/locations/conversion_platform/jobs/daily/playground")
    page.get_by_placeholder("Partition").fill("2026-01-05")
    page.get_by_text("2026-01-05", exact=True).click()  # there once the partitions are loaded
    page.get_by_text("Launch Run").click()
    page.wait_for_url("**/runs/**")
    page.get_by_text("Run queued").wait_for()
    for _ in range(100):
        if any("pipelineRunLogs" in frame for frame in received):
            break
        page.wait_for_timeout(100)
    assert any("intends to materialize" in frame for frame in received)
    assert refused == []
    assert pages.launched() == 1


@pytest.mark.parametrize("name", ["evil.example", "localhost"])
def test_a_page_of_another_site_gets_nothing_done(pages: Served, page: Page, name: str) -> None:
    before = pages.launched()
    statuses: dict[str, int] = {}
    page.on("response", lambda one: statuses.update({one.request.method: one.status}))
    with another_site() as port:
        page.goto(f"http://{name}:{port}/")
        got = page.evaluate(ATTACK, f"http://localhost:{pages.port}")
    assert (got["json"], got["socket"]) == ("blocked", "blocked")
    assert (statuses["POST"], statuses["GET"]) == (403, 405)
    assert pages.launched() == before


def test_a_name_that_leads_here_opens_no_page(pages: Served, page: Page) -> None:
    answer = page.goto(f"http://evil.example:{pages.port}/")
    assert answer is not None
    assert (answer.status, answer.text()) == (400, "Invalid host header")
