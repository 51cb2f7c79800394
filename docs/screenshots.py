"""Takes the pictures of docs/images from a filled demo: `python docs/screenshots.py --folder demo`.

It starts `conversion-platform pages` on the demo's instance, on a free loopback port, looks at them
with Debian's chromium, and stops both. Only pages are opened: nothing of the demo changes but
Dagster's own bookkeeping.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
START_SECONDS = 90
PATIENCE = 60_000  # milliseconds for a page on a busy machine
MAX_BYTES = 400_000
LAST_DAILY_RUN = """{ runsOrError(filter: {pipelineName: "daily", statuses: [SUCCESS]}, limit: 1) {
    ... on Runs { results { runId } } } }"""


def main() -> None:
    """Takes every picture, and says what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "demo", help="A filled demo.")
    folder = parser.parse_args().folder.resolve()
    if not (folder / "conversion_platform.toml").exists():
        sys.exit(f"There is no demo in {folder}: run `make demo` first, or name one with --folder.")
    if not Path(CHROMIUM).exists():
        sys.exit("chromium is missing: apt-get install chromium fonts-liberation")
    IMAGES.mkdir(exist_ok=True)
    with webserver(folder) as address, browser() as page:
        take_stages(page, address)
        take_graph(page, address)
        take_run(page, address)
        take_dialog(page, f"{address}/assets/daily_metrics", "daily_metrics")
        take_dialog(page, f"{address}/assets/model_explanations", "shap_summary")


@contextmanager
def webserver(folder: Path) -> Iterator[str]:
    """Dagster's pages on the demo's instance.

    Yields:
        Their address.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(str(Path(sys.executable).with_name("conversion-platform")), "--config"),
        *(str(folder / "conversion_platform.toml"), "pages", "--port", str(port)),
    ]
    environment = os.environ | {"DAGSTER_HOME": str(folder / "dagster_home")}
    # A process group of its own: the code server must go down with it.
    server = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(server, f"{address}/server_info")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def wait_for(server: subprocess.Popen[bytes], address: str) -> None:
    """Returns when the address answers.

    Raises:
        SystemExit: the server ended, or did not answer in time.
    """
    for _ in range(START_SECONDS):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, TimeoutError):
            time.sleep(1)
        else:
            return
    sys.exit("The pages did not start; their words stand above.")


@contextmanager
def browser() -> Iterator[Page]:
    """A page of a headless chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page()
        page.set_default_timeout(PATIENCE)
        yield page
        chromium.close()


def open_page(page: Page, address: str, width: int, height: int) -> None:
    """Opens a page, and waits until it is drawn."""
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_function("() => document.body.innerText.length > 50")
    page.wait_for_function("() => !/Loading/.test(document.body.innerText)")
    page.wait_for_timeout(3000)  # Dagster lays graphs out in a worker and then moves to them


def save(target: Any, name: str) -> None:
    """Writes the picture of a page or a part of it."""
    path = IMAGES / f"{name}.png"
    target.screenshot(path=path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        sys.exit(f"{path} has {size:,} bytes, more than {MAX_BYTES:,}: make the window smaller.")
    print(f"{path.relative_to(ROOT)}: {size:,} bytes")


def open_graph(page: Page, address: str, width: int, height: int) -> None:
    """The lineage of all assets without the bars at its left."""
    open_page(page, f"{address}/asset-groups", width, height)
    hide = page.get_by_text("Hide navigation")
    if hide.count():
        hide.click()
    page.locator("[aria-label=panel_show_right]").last.click()
    page.wait_for_timeout(1000)


def fit_graph(page: Page, height: int) -> None:
    """Makes the whole graph fit the window: a double click on the empty ground does."""
    page.mouse.dblclick(200, height - 40)
    page.wait_for_timeout(2000)


def take_stages(page: Page, address: str) -> None:
    """The stages, one box each."""
    open_graph(page, address, 1500, 800)
    fit_graph(page, 800)
    save(page, "stages")


def take_graph(page: Page, address: str) -> None:
    """Every asset, in its stage."""
    open_graph(page, address, 1900, 1380)
    page.keyboard.press("Alt+e")  # expand all groups
    page.get_by_text("job_of_the_day").first.wait_for()
    page.wait_for_timeout(3000)
    fit_graph(page, 1380)
    save(page, "asset_graph")


def take_run(page: Page, address: str) -> None:
    """The last daily run: its steps over time, and its events."""
    open_page(page, f"{address}/runs/{last_daily_run(address)}", 1700, 1150)
    split = page.get_by_text("Events", exact=True).first.bounding_box()
    if split is not None:  # drag the border down: the steps matter more than the events
        border = split["y"] - 24
        page.mouse.move(800, border)
        page.mouse.down()
        page.mouse.move(800, 780, steps=8)
        page.mouse.up()
    page.get_by_text("Succeeded (").click()  # lists the steps
    page.wait_for_timeout(2000)
    save(page, "daily_run")


def last_daily_run(address: str) -> str:
    """The id of the newest daily run that succeeded."""
    request = urllib.request.Request(
        f"{address}/graphql",
        json.dumps({"query": LAST_DAILY_RUN}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        runs = json.load(answer)["data"]["runsOrError"]["results"]
    if not runs:
        sys.exit("The demo's instance holds no finished daily run.")
    return str(runs[0]["runId"])


def take_dialog(page: Page, address: str, name: str) -> None:
    """The plot that an asset's page shows on a click."""
    open_page(page, address, 1500, 1100)
    page.get_by_text("Show Markdown").first.click()
    page.locator("img[alt=plot]").wait_for()
    page.wait_for_timeout(1000)
    save(page.locator("img[alt=plot]"), name)


if __name__ == "__main__":
    main()
