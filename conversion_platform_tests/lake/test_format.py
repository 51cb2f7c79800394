"""A lake says which format it has, and only a release that knows it works with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conversion_platform.errors import LakeError
from conversion_platform.lake import (
    FORMAT,
    FORMAT_KEY,
    Lake,
    LocalStorage,
    ensure_format,
    lake_format,
    require_format,
    set_format,
)

ZONE = b'{\n  "time_zone": "America/New_York"\n}\n'


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "lake")


def of_format(storage: LocalStorage, number: int, release: str = "9.9.9") -> None:
    document = json.dumps({"format": number, "release": release})
    storage.replace(FORMAT_KEY, document.encode())


def as_be1d59c_left_it(storage: LocalStorage) -> None:
    """Its lakes hold a time zone and say nothing of a format."""
    storage.replace("platform/time_zone.json", ZONE)


def test_a_new_lake_says_its_format_and_the_release_that_began_it(storage: LocalStorage) -> None:
    ensure_format(storage)
    found = json.loads(storage.read("platform/format.json"))
    assert found["format"] == FORMAT
    assert found["release"].count(".") == 2


def test_writing_again_leaves_the_file_as_it_is(storage: LocalStorage) -> None:
    of_format(storage, FORMAT, "0.0.1")
    ensure_format(storage)
    assert lake_format(storage).release == "0.0.1"  # type: ignore[union-attr]


def test_a_lake_without_the_file_is_refused_with_the_command_that_migrates_it(
    storage: LocalStorage,
) -> None:
    as_be1d59c_left_it(storage)
    for use in (ensure_format, require_format):
        with pytest.raises(LakeError, match="format 1") as caught:
            use(storage)
        assert "conversion-platform migrate" in caught.value.remedy
    assert storage.list("") == ["platform/time_zone.json"], "nothing was written"


@pytest.mark.parametrize("reading", [True, False])
def test_no_connection_to_a_lake_of_another_format_is_opened(
    storage: LocalStorage, reading: bool
) -> None:
    as_be1d59c_left_it(storage)
    with pytest.raises(LakeError, match="format 1"), Lake(storage).connect(reading):
        raise AssertionError("it was opened")
    of_format(storage, FORMAT + 1)
    with pytest.raises(LakeError, match="later"), Lake(storage).connect(reading):
        raise AssertionError("it was opened")


def test_a_lake_of_a_later_release_names_that_release(storage: LocalStorage) -> None:
    of_format(storage, FORMAT + 1, "7.1.0")
    with pytest.raises(LakeError, match=f"format {FORMAT + 1}.*7\\.1\\.0") as caught:
        require_format(storage)
    assert "Upgrade" in caught.value.remedy


def test_a_place_without_a_lake_can_be_read_and_gets_nothing_by_it(storage: LocalStorage) -> None:
    with Lake(storage).connect(reading=True) as con:
        assert con.sql("SELECT 1").fetchall() == [(1,)]
    assert storage.list("") == []


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"format": "two"}', b'{"format": 2}'])
def test_a_damaged_file_is_named(storage: LocalStorage, damage: bytes) -> None:
    storage.replace(FORMAT_KEY, damage)
    with pytest.raises(LakeError, match=r"format\.json is damaged"):
        require_format(storage)


def test_the_format_is_written_before_the_zone_so_that_no_crash_looks_like_an_old_lake(
    storage: LocalStorage,
) -> None:
    ensure_format(storage)  # the crash comes here
    lake = Lake(storage)
    ensure_format(storage)
    lake.ensure_time_zone("America/Chicago")
    assert lake.read_json("platform/time_zone.json") == {"time_zone": "America/Chicago"}


def test_a_migrated_lake_is_opened(storage: LocalStorage) -> None:
    as_be1d59c_left_it(storage)
    set_format(storage)
    require_format(storage)
    assert storage.read("platform/time_zone.json") == ZONE


def test_a_platform_that_sends_before_it_loads_has_a_new_lake(tmp_path: Path) -> None:
    from conversion_platform.defs.resources import Platform

    file = tmp_path / "conversion_platform.toml"
    file.write_text("")
    platform = Platform(settings_file=str(file))
    with platform.messaging():
        pass
    with platform.session() as session:
        assert lake_format(session.lake.storage) is not None
