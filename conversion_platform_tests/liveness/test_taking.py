"""A lease is taken at once, after a live holder has ended, or in place of a dead one."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from conversion_platform.liveness import Lease, process_of, this_process
from conversion_platform.liveness import taking as module
from conversion_platform.liveness.lease_stores import FileLeaseStore
from conversion_platform.liveness.taking import take
from conversion_platform_tests.liveness.processes import (
    child,
    elsewhere,
    ended_process,
    lease_of,
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileLeaseStore:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)
    return FileLeaseStore(tmp_path / "one.lease")


def mine() -> Lease:
    return lease_of(this_process(), "me")


def never(holder: Lease) -> None:
    raise AssertionError(f"waited for {holder}")


def test_a_free_lease_is_taken_at_once(place: FileLeaseStore) -> None:
    taken = take(place, mine(), never)
    assert taken.held.kept() and taken.from_dead is None
    assert place.read() == taken.held.lease


def test_a_process_shares_with_itself_what_it_took_before(place: FileLeaseStore) -> None:
    first = take(place, mine(), never).held
    second = take(place, mine(), never).held
    assert second.shared and second.kept()
    second.give_back()
    assert first.kept()


def test_the_place_of_one_that_is_gone_is_taken_at_once(place: FileLeaseStore) -> None:
    gone = place.replace(lease_of(ended_process(), "gone"))
    taken = take(place, mine(), never)
    assert taken.from_dead == gone.lease
    assert taken.held.kept() and not gone.kept()


def test_a_live_holder_is_waited_for_and_named_once(place: FileLeaseStore) -> None:
    named: list[str] = []
    with child() as it:
        holder = place.replace(lease_of(process_of(it.pid), "live"))

        def end_soon(lease: Lease) -> None:
            named.append(lease.owner)
            threading.Timer(0.3, holder.give_back).start()

        began = time.monotonic()
        taken = take(place, mine(), end_soon)
    assert time.monotonic() - began >= 0.3
    assert named == ["live"]
    assert taken.from_dead is None


def test_one_elsewhere_that_stands_still_is_dead_after_four_looks(
    place: FileLeaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OBSERVE_SECONDS", 0.2)
    still = place.replace(lease_of(elsewhere(), "still"))
    waited: list[Lease] = []
    began = time.monotonic()
    taken = take(place, mine(), waited.append)
    assert 0.6 <= time.monotonic() - began < 5
    assert taken.from_dead == still.lease
    assert [lease.owner for lease in waited] == ["still"]


def test_one_elsewhere_that_goes_on_counting_keeps_it(
    place: FileLeaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OBSERVE_SECONDS", 0.05)
    slow = place.replace(lease_of(elsewhere(), "slow"))
    end = threading.Event()

    def count() -> None:
        for _ in range(40):
            slow.confirm()
            time.sleep(0.04)
        slow.give_back()
        end.set()

    threading.Thread(target=count).start()
    taken = take(place, mine(), lambda _: None)
    assert end.is_set() and taken.from_dead is None


def test_of_two_that_take_it_at_once_one_has_it_and_the_other_waits(place: FileLeaseStore) -> None:
    place.replace(lease_of(ended_process(), "gone"))
    here = this_process()
    have: list[str] = []
    most: list[int] = []

    def work(name: str) -> None:
        # Each another process, as far as a lease can tell.
        lease = lease_of(replace(here, space=f"{here.space} {name}"), name)
        held = take(place, lease, lambda _: None).held
        have.append(name)
        most.append(len(have))
        time.sleep(0.3)
        assert held.kept()
        have.remove(name)
        held.give_back()

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == [1, 1, 1]
    assert place.read() is None
