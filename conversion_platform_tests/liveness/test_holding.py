"""What a run holds: confirmed while it works, lost when it is judged dead, and then a fence."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import pytest

from conversion_platform.errors import LeaseLostError
from conversion_platform.lake import LocalStorage
from conversion_platform.liveness import (
    Lease,
    fence_off,
    lease_owners,
    lease_store,
    leases_of,
    remove_lease,
)
from conversion_platform.liveness.heartbeat import Heartbeat
from conversion_platform.liveness.lease_stores import lake_lease_store
from conversion_platform_tests.liveness.processes import elsewhere, lease_of


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Heartbeat.__init__, "__defaults__", (0.02,))


def count_of(home: Path, owner: str) -> int:
    lease = lease_store(home, owner).read()
    assert lease is not None
    return lease.count


def never(holder: Lease) -> None:
    raise AssertionError(f"waited for {holder}")


def test_a_run_is_confirmed_while_a_long_query_works(tmp_path: Path) -> None:
    with leases_of(tmp_path, "run", "a run"), duckdb.connect() as con:
        before = count_of(tmp_path, "run")
        con.execute("SELECT max(hash(i)) FROM range(400_000_000) t(i)").fetchall()
        assert count_of(tmp_path, "run") - before >= 5


def test_a_command_gives_its_leases_back_and_a_run_leaves_its_own(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "lake")
    with leases_of(tmp_path, "command", "a command") as leases:
        leases.hold_lake(storage, never)
        assert lake_lease_store(storage).read() is not None
    assert lease_owners(tmp_path) == [] and lake_lease_store(storage).read() is None
    with leases_of(tmp_path, "run", "a run", keep=True) as leases:
        leases.hold_lake(storage, never)
    assert lease_owners(tmp_path) == ["run"] and lake_lease_store(storage).read() is None


def test_a_run_within_a_command_writes_the_lake_that_the_command_holds(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "lake")
    with leases_of(tmp_path, "command", "a command") as command:
        command.hold_lake(storage, never)
        with leases_of(tmp_path, "run", "a run", keep=True) as run:
            run.hold_lake(storage, never)
            run.fence()
        command.fence()


@pytest.mark.parametrize("how", ["judged", "removed", "lake"])
def test_nothing_is_published_by_one_that_was_judged_dead(tmp_path: Path, how: str) -> None:
    lake = tmp_path / "lake"
    storage = LocalStorage(lake)
    with leases_of(tmp_path, "run", "run 12345678 of `daily`") as leases:
        leases.hold_lake(storage, never)
        storage.fence = leases.fence
        storage.replace("table/a", b"old")
        if how == "judged":
            fence_off(tmp_path, leases.lease)
        elif how == "removed":
            remove_lease(tmp_path, "run")
        else:
            lake_lease_store(storage).replace(lease_of(elsewhere()))
        before = time.monotonic()
        (lake / "draft").write_bytes(b"new")
        for publish in (
            lambda: storage.replace("table/a", b"new"),
            lambda: storage.create("table/b", b"new"),
            lambda: storage.publish(lake / "draft", "table/a"),
        ):
            with pytest.raises(LeaseLostError, match="run 12345678 of `daily`") as caught:
                publish()
            assert "judged dead" in str(caught.value)
        assert time.monotonic() - before < 5
    assert storage.list("table") == ["table/a"]
    assert storage.read("table/a") == b"old"


def test_the_heartbeat_does_not_bring_a_removed_lease_back(tmp_path: Path) -> None:
    with leases_of(tmp_path, "run", "a run"):
        remove_lease(tmp_path, "run")
        time.sleep(0.2)
        assert lease_store(tmp_path, "run").read() is None
