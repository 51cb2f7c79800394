"""A lease is taken once, confirmed by its holder alone, and lost for good when it is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion_platform.lake import LocalStorage, S3Storage
from conversion_platform.liveness import this_process
from conversion_platform.liveness.lease import Lease, decoded
from conversion_platform.liveness.lease_stores import (
    FileLeaseStore,
    LeaseStore,
    S3LeaseStore,
    lake_lease_store,
)
from conversion_platform_tests.liveness.processes import elsewhere, lease_of
from conversion_platform_tests.servers import S3Server


@pytest.fixture(params=["file", "object"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> LeaseStore:
    if request.param == "file":
        return FileLeaseStore(tmp_path / "leases/one.lease")
    return S3LeaseStore(LocalStorage(tmp_path), "leases/one.lease")


def mine() -> Lease:
    return lease_of(this_process())


def test_a_lease_is_read_as_it_was_written(place: LeaseStore) -> None:
    assert place.read() is None
    lease = lease_of(elsewhere(), count=12)
    place.replace(lease)
    assert place.read() == lease


def test_where_a_lease_is_no_other_is_created(place: LeaseStore) -> None:
    first = place.create(mine())
    assert first is not None
    assert place.create(mine()) is None
    assert place.read() == first.lease
    first.give_back()
    assert place.read() is None
    assert place.create(mine()) is not None


def test_confirming_raises_the_count_that_others_read(place: LeaseStore) -> None:
    held = place.replace(mine())
    for count in (1, 2, 3):
        held.confirm()
        there = place.read()
        assert there is not None
        assert (there.count, there.token) == (count, held.lease.token)


def test_one_whose_lease_was_replaced_has_lost_it_and_changes_nothing(place: LeaseStore) -> None:
    old = place.replace(mine())
    assert old.kept()
    new = place.replace(lease_of(elsewhere(), count=5))
    assert not old.kept()
    old.confirm()
    old.give_back()
    assert place.read() == new.lease
    assert new.kept()


def test_a_lease_put_over_itself_is_lost_to_a_file_holder(tmp_path: Path) -> None:
    place = FileLeaseStore(tmp_path / "one.lease")
    old = place.replace(mine())
    place.replace(old.lease).close()
    assert not old.kept()
    assert place.read() == old.lease


def test_what_is_closed_stays_for_others_to_judge(place: LeaseStore) -> None:
    held = place.replace(mine())
    held.close()
    assert place.read() == held.lease


def test_a_shared_lease_is_kept_as_long_as_the_first_one_and_not_given_back(
    place: LeaseStore,
) -> None:
    first = place.replace(mine())
    second = place.share(first.lease)
    assert second is not None and second.shared and second.kept()
    second.give_back()
    assert first.kept()
    place.replace(lease_of(elsewhere()))
    assert place.share(first.lease) is None


def test_damaged_or_given_back_is_no_lease() -> None:
    for data in (b"", b"12", b"12\n{}", b"x\n{}", b'1\n{"process": 1}', b"\xff"):
        assert decoded(data) is None


def test_the_lease_of_a_local_lake_leaves_nothing_behind(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    held = lake_lease_store(storage).create(mine())
    assert held is not None
    assert storage.list("") == []
    held.give_back()
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def closed() -> None:
    raise AssertionError("the fence was asked")


def test_on_s3_the_same_holds_and_no_fence_stands_before_the_lease_itself(s3: S3Server) -> None:
    storage = S3Storage(f"s3://{s3.new_bucket()}/lake", s3.files())
    storage.fence = closed
    place = lake_lease_store(storage)
    old = place.create(mine())
    assert old is not None
    old.confirm()
    assert place.create(mine()) is None
    new = place.replace(lease_of(elsewhere(), count=5))
    assert not old.kept()
    old.confirm()
    old.give_back()
    assert place.read() == new.lease
    new.give_back()
    assert place.read() is None
    again = place.create(mine())
    assert again is not None and again.kept()
