"""Files of personal tables lie apart, for their owner alone, from their first byte on."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from conversion_platform.errors import LakeError
from conversion_platform.lake import Column, Lake, LocalStorage, Table

COLUMNS = (Column("id", "VARCHAR", "Id."), Column("phone", "VARCHAR", "Phone.", personal=True))
CONTACTS = Table("contacts", "Contacts.", COLUMNS, ("id",), daily=False, personal=True)
CALLS = Table("calls", "Calls.", COLUMNS, ("id",), personal=True)
OPEN = Table("open", "Open.", COLUMNS[:1], ("id",), daily=False)
ROWS = "SELECT '1' AS id, '+15125550123' AS phone"
DAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    before = os.umask(0o000)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_personal_table_has_a_folder_of_its_own_and_private_files(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    lake.write(con, CONTACTS, ROWS)
    lake.write(con, CALLS, ROWS, DAY)
    lake.write(con, OPEN, "SELECT '1' AS id")
    root = Path(lake.storage.root)
    assert mode(root / "personal/contacts/data.parquet") == 0o600
    assert mode(root / "personal/calls/dt=2026-03-02/data.parquet") == 0o600
    assert mode(root / "open/data.parquet") & 0o044
    assert lake.days(CALLS) == [DAY]
    assert con.sql(f"SELECT phone FROM {lake.select(CONTACTS)}").fetchall() == [("+15125550123",)]


def test_a_file_that_is_being_made_is_private_too(
    lake: Lake, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    publish = lake.storage.publish

    def looking(file: Path, key: str) -> None:
        seen.append((mode(file), mode(file.parent)))
        publish(file, key)

    monkeypatch.setattr(lake.storage, "publish", looking)
    lake.write(con, CONTACTS, ROWS)
    lake.storage.replace("personal/contacts/data.parquet", b"restored")
    assert seen == [(0o600, 0o700)] * 2
    with lake.storage.staged() as path:
        path.write_bytes(b"made as an open one")
        lake.storage.publish(path, "personal/contacts/data.parquet")
    assert mode(Path(lake.storage.location(lake.key(CONTACTS)))) == 0o600


def test_a_file_that_this_user_may_not_open_is_named_with_who_may(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    lake.write(con, CONTACTS, ROWS)
    (file,) = lake.files(CONTACTS)
    with (
        pytest.raises(LakeError, match="may not be opened by this user") as caught,
        lake.readable_errors(),
    ):
        raise duckdb.IOException(f'IO Error: Cannot open file "{file}": Permission denied')
    assert "--personal" in caught.value.remedy


def test_a_reader_spills_elsewhere_where_the_staging_folder_is_closed_to_it(
    lake: Lake, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.write(con, CONTACTS, ROWS)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with lake.storage.spill_folder(reading=True) as folder:
        assert not folder.is_relative_to(lake.storage.root)
        assert mode(folder) == 0o700
    assert not folder.exists()


@pytest.mark.parametrize("reading", [False, True])
def test_what_a_session_spills_is_for_its_owner_alone(lake: Lake, reading: bool) -> None:
    with lake.connect(reading) as con:
        spill = con.sql("SELECT current_setting('temp_directory')").fetchall()[0][0]
        assert mode(Path(spill)) == 0o700


class InTheTemporaryFolder(LocalStorage):
    """A storage whose files are made in a folder that anyone could have made."""

    def staging_folder(self) -> Path:
        return Path(f"{self.root}-staging")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("link", [False, True])
def test_a_staging_folder_that_another_user_made_is_not_used(tmp_path: Path, link: bool) -> None:
    storage = InTheTemporaryFolder(tmp_path / "lake")
    foreign = tmp_path / "elsewhere" if link else storage.staging_folder()
    foreign.mkdir(mode=0o777)
    os.chown(foreign, 1234, 1234)
    if link:
        storage.staging_folder().symlink_to(foreign)
    with pytest.raises(LakeError, match="another user of this machine"), storage.staged():
        pass
    with storage.spill_folder(reading=True) as folder:
        assert not folder.is_relative_to(foreign)
        assert mode(folder) == 0o700
    assert list(foreign.iterdir()) == []


def test_a_staging_folder_may_be_a_link_of_its_owner(tmp_path: Path) -> None:
    storage = InTheTemporaryFolder(tmp_path / "lake")
    (tmp_path / "larger disk").mkdir()
    storage.staging_folder().symlink_to(tmp_path / "larger disk")
    with storage.staged(private=True) as file:
        assert mode(file) == 0o600


def test_what_was_left_open_is_closed_when_it_is_read_or_written_over(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    lake.write(con, CONTACTS, ROWS)
    file = Path(lake.files(CONTACTS)[0])
    for look in (lambda: lake.select(CONTACTS), lambda: lake.write(con, CONTACTS, ROWS)):
        file.chmod(0o644)
        look()
        assert mode(file) == 0o600
    (file.parents[2] / ".staging").chmod(0o777)
    lake.write(con, CONTACTS, ROWS)
    assert mode(file.parents[2] / ".staging") == 0o700
