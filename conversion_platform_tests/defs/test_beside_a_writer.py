"""What may run while another run writes the lake, and what waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from conversion_platform.definitions import build_defs
from conversion_platform.lake import LocalStorage
from conversion_platform.liveness import process_of
from conversion_platform.liveness.lease_stores import Held, lake_lease_store
from conversion_platform.messaging import open_ledger
from conversion_platform.settings import Settings
from conversion_platform_tests.defs.looking import newest_run
from conversion_platform_tests.liveness.processes import child, lease_of
from conversion_platform_tests.tiny_platform import LIVED, run_job, settings_in


@pytest.fixture
def writer(platform: Path) -> Iterator[Held]:
    """The lease of a live process that writes the platform's lake."""
    with child() as process:
        place = lake_lease_store(LocalStorage(platform / "lake"))
        yield place.replace(lease_of(process_of(process.pid), "another run"))


def test_sending_and_its_checks_do_not_wait_for_the_writer_of_the_lake(
    platform: Path, writer: Held
) -> None:
    assert run_job(platform, "send_texts", LIVED).success
    assert writer.kept()


def test_what_writes_the_lake_waits_for_its_writer(platform: Path, writer: Held) -> None:
    threading.Timer(2.0, writer.give_back).start()
    began = time.monotonic()
    assert run_job(platform, "sources", LIVED).success
    assert time.monotonic() - began >= 2.0
    assert newest_run(platform).status == dg.DagsterRunStatus.SUCCESS


def test_a_step_on_messages_waits_for_a_sender(platform: Path) -> None:
    with open_ledger(settings_in(platform)) as sender:
        began, taken = time.monotonic(), threading.Event()

        def send() -> None:
            with open_ledger(settings_in(platform)) as other, other.exclusive():
                taken.set()
                time.sleep(2.0)

        thread = threading.Thread(target=send)
        thread.start()
        taken.wait()
        with (
            sender.exclusive(30.0),
            sender.exclusive(0.0),
        ):  # the inner one holds what the outer one has
            assert time.monotonic() - began >= 2.0
        thread.join()


def pools_of(settings: Settings) -> dict[str, set[str]]:
    """The pools of each job; two jobs that share one exclude each other (`granularity: run`)."""
    defs = build_defs(settings)
    return {
        name: {node.pool for node in defs.resolve_job_def(name).graph.node_defs if node.pool}
        for name in ("daily", "sources", "history", "train", "send_texts")
    }


def test_all_jobs_but_sending_share_the_pool_of_the_lake(settings: Settings) -> None:
    lake = {"lake"}
    assert pools_of(settings) == {
        "daily": lake,
        "sources": lake,
        "history": lake,
        "train": lake,
        "send_texts": set(),
    }
