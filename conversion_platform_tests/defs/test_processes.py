"""Dagster's own processes on an instance that has lived: the daemon asks once, the pages open."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from conversion_platform.defs.monitoring.automation import evaluations_after
from conversion_platform.runs.instance import open_instance
from conversion_platform_tests.command import environment
from conversion_platform_tests.defs.test_automation import watch
from conversion_platform_tests.servers import free_port
from conversion_platform_tests.tiny_platform import LIVED, edit, settings_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FIRST_START = "No cursor for event type"
"""What Dagster warns of once where runs of dead processes are tried again (`run_retries`)."""
BAD = ("ERROR", "WARNING", "Warning:", "Traceback", "Exception")


@contextmanager
def process(folder: Path, log: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server command on the folder's instance, with its own process group."""
    command = Path(sys.executable).with_name("conversion-platform")
    with log.open("wb") as output:
        started = subprocess.Popen(
            [str(command), "--config", str(folder / "conversion_platform.toml"), *words],
            cwd=folder,
            env=environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGINT)
        try:
            started.wait(60)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def wait_for(condition: Callable[[], bool], seconds: float, log: Path) -> None:
    for _ in range(int(seconds)):
        if condition():
            return
        time.sleep(1)
    raise TimeoutError(log.read_text())


def complaints(log: Path) -> list[str]:
    """Lines of a log that tell of an error or a warning."""
    return [
        line
        for line in log.read_text().splitlines()
        if any(word in line for word in BAD) and FIRST_START not in line
    ]


def training_runs(folder: Path) -> list[dg.DagsterRun]:
    asked = dg.RunsFilter(tags={"dagster/sensor_name": "retrain_on_drift"})
    with open_instance(settings_in(folder)) as instance:
        return list(instance.get_runs(asked))


def ticks(folder: Path) -> int:
    """How often the sensor has looked (from the daemon's own record)."""
    with open_instance(settings_in(folder)) as instance:
        states = instance.all_instigator_state()
        own = [state for state in states if state.name == "retrain_on_drift"]
        return sum(
            len(instance.get_ticks(one.instigator_origin_id, one.selector_id)) for one in own
        )


def test_the_daemon_queues_exactly_one_training_for_a_failed_check(
    platform: Path, tmp_path: Path
) -> None:
    config = platform / "dagster_home/dagster.yaml"
    text = config.read_text()
    # Queued runs stay queued: this is about the asking, not about the training.
    config.write_text(text.replace("max_concurrent_runs: 3", "max_concurrent_runs: 0"))
    assert "max_concurrent_runs: 0" in config.read_text()
    edit(platform, "enabled = false", "enabled = true")  # the sensor starts where schedules do
    with open_instance(settings_in(platform)) as instance:
        watch(instance, str(LIVED), passed=False)
    log = tmp_path / "daemon.log"
    with process(platform, log, "daemon"):
        wait_for(lambda: bool(training_runs(platform)), 240, log)
        before = ticks(platform)
        wait_for(lambda: ticks(platform) >= before + 2, 240, log)
    with open_instance(settings_in(platform)) as instance:
        failed = [one for one in evaluations_after(instance, 0.0) if not one.passed]
    asked = training_runs(platform)
    # One for each failure: ours, and the lived day's own if that drifted.
    assert sorted(run.tags["dagster/run_key"] for run in asked) == sorted(
        f"drift-{one.key}" for one in failed
    )
    assert {run.job_name for run in asked} == {"train"}
    assert {run.tags["dagster/partition"] for run in asked} == {str(LIVED)}
    assert complaints(log) == []


def test_the_pages_open_on_a_filled_instance_without_error_or_warning(
    platform: Path, tmp_path: Path
) -> None:
    log, port = tmp_path / "webserver.log", free_port()
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    with process(platform, log, "pages", "--port", str(port)):
        wait_for(answers, 240, log)
        query = (
            '{ assetNodes { assetKey { path } latestRunForPartition(partition: "%s") { status } } }'
        )
        request = urllib.request.Request(
            f"{address}/graphql",
            json.dumps({"query": query % LIVED}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            nodes = json.load(answer)["data"]["assetNodes"]
    assert len(nodes) == 30
    ran = {node["assetKey"]["path"][0] for node in nodes if node["latestRunForPartition"]}
    assert {"users", "daily_predictions", "daily_metrics", "champion_model"} <= ran
    assert complaints(log) == []
