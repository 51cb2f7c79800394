"""Keys and bytes: the same promises on a disk and on a real S3 server."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion_platform.errors import LakeError
from conversion_platform.lake import (
    Lake,
    LocalStorage,
    S3Storage,
    Storage,
    open_storage,
    s3_files,
    scratch_folder,
)
from conversion_platform.lake.storage import clear_scratch, readable_disk_errors
from conversion_platform_tests.killing import kill_at_work, start
from conversion_platform_tests.servers import S3Server


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return open_storage(str(tmp_path / "lake"))
    server: S3Server = request.getfixturevalue("s3")
    return open_storage(f"s3://{server.new_bucket()}/some/prefix", server.files())


def staged_leftovers(storage: Storage) -> list[Path]:
    """What this process has left in the making."""
    mine = f"{socket.gethostname()}.{os.getpid()}."
    return list(storage.staging_folder().glob(f"{mine}*"))


def test_what_was_written_is_read(storage: Storage) -> None:
    storage.replace("table/dt=2026-01-01/data.parquet", b"first")
    assert storage.read("table/dt=2026-01-01/data.parquet") == b"first"
    assert storage.size("table/dt=2026-01-01/data.parquet") == 5


def test_replace_leaves_only_the_new_bytes(storage: Storage) -> None:
    storage.replace("a", b"a long first value")
    storage.replace("a", b"second")
    assert storage.read("a") == b"second"
    assert staged_leftovers(storage) == []


def test_the_second_creator_of_a_key_changes_nothing(storage: Storage) -> None:
    assert storage.create("log/1", b"first") is True
    assert storage.create("log/1", b"second") is False
    assert storage.read("log/1") == b"first"
    assert staged_leftovers(storage) == []


def test_a_listing_is_sorted_and_stays_within_its_folder(storage: Storage) -> None:
    for key in ("t/dt=2/b", "t/dt=1/a", "t2/c", "t_other/d", "root"):
        storage.replace(key, b"x")
    assert storage.list("t") == ["t/dt=1/a", "t/dt=2/b"]
    assert storage.list("") == ["root", "t/dt=1/a", "t/dt=2/b", "t2/c", "t_other/d"]
    assert storage.list("nothing") == []


@pytest.mark.parametrize("how", ["replace", "create", "publish"])
def test_what_the_fence_holds_back_is_not_published(storage: Storage, how: str) -> None:
    class HeldBackError(Exception):
        """Raised by the fence."""

    def closed() -> None:
        raise HeldBackError

    storage.replace("table/old", b"old")
    storage.fence = closed
    with storage.staged() as path, pytest.raises(HeldBackError):
        path.write_bytes(b"new")
        if how == "publish":
            storage.publish(path, "table/old")
        elif how == "replace":
            storage.replace("table/old", b"new")
        else:
            storage.create("table/new", b"new")
    assert storage.list("table") == ["table/old"]
    assert storage.read("table/old") == b"old"
    assert staged_leftovers(storage) == []


def test_a_listing_goes_past_a_thousand_keys(s3: S3Server) -> None:
    storage = S3Storage(f"s3://{s3.new_bucket()}", s3.files())
    for number in range(1005):
        storage.replace(f"t/{number:05}", b"")
    assert len(storage.list("t")) == 1005


def test_a_staged_file_is_moved_into_place(storage: Storage) -> None:
    with storage.staged() as path:
        path.write_bytes(b"made aside")
        storage.publish(path, "t/data.parquet")
    assert storage.read("t/data.parquet") == b"made aside"
    assert not path.exists()


def test_a_staged_file_is_removed_when_its_maker_fails(storage: Storage) -> None:
    with pytest.raises(RuntimeError), storage.staged() as path:
        path.write_bytes(b"half")
        raise RuntimeError
    assert staged_leftovers(storage) == []


def test_reading_a_missing_key_says_which(storage: Storage) -> None:
    with pytest.raises(LakeError, match="t/none does not exist"):
        storage.read("t/none")


def test_staging_files_are_not_listed(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    with storage.staged() as path:
        path.write_bytes(b"x")
        assert storage.list("") == []


def test_what_killed_processes_left_is_cleared_and_the_living_keep_theirs(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host = socket.gethostname()
    storage.staging_folder().mkdir()
    dead_file = storage.staging_folder() / f"{host}.{gone.pid}.abc.parquet"
    dead_folder = storage.staging_folder() / f"{host}.{gone.pid}.abc.spill"
    elsewhere = storage.staging_folder() / f"other.host.{gone.pid}.abc.parquet"
    dead_file.write_bytes(b"x")
    dead_folder.mkdir()
    elsewhere.write_bytes(b"x")
    with storage.staged() as path:
        path.write_bytes(b"mine")
        assert storage.clear_staging() == 2
        assert sorted(storage.staging_folder().iterdir()) == sorted([elsewhere, path])


SCRATCH_FOR_EVER = """
import time
from pathlib import Path
from conversion_platform.lake import LocalStorage, scratch_folder
with scratch_folder("check-sources") as folder, LocalStorage("/nowhere").spill_folder(True):
    (folder / "personal").mkdir()
    (folder / "personal/contacts.parquet").write_text("+1 212 555 0142")
    print("at work", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary folder, for this process and those that it starts."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.mark.parametrize("opened", ["a scratch lake", "a session that reads"])
def test_what_a_killed_command_left_in_the_temporary_folder_is_gone_with_the_next(
    temporary: Path, tmp_path: Path, opened: str
) -> None:
    kill_at_work(SCRATCH_FOR_EVER)
    left = list(temporary.iterdir())
    assert sorted(path.suffix for path in left) == [".check-sources", ".spill"]
    assert {path.stat().st_mode & 0o777 for path in left} == {0o700}
    if opened == "a scratch lake":
        with scratch_folder("check-sources") as folder:
            assert list(temporary.iterdir()) == [folder]
    else:
        with LocalStorage(tmp_path / "none").spill_folder(reading=True) as folder:
            assert list(temporary.iterdir()) == [folder]
    assert list(temporary.iterdir()) == []


def test_scratch_folders_of_the_living_of_other_machines_and_of_others_stay(
    temporary: Path, tmp_path: Path
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host = socket.gethostname()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/file").write_text("x")
    link = temporary / f"conversion-platform-scratch-{host}.{gone.pid}.abc.spill"
    link.symlink_to(tmp_path / "elsewhere")
    for name in (f"scratch-other.{gone.pid}.abc.spill", f"scratch-{host}.abc.spill", "somebody"):
        (temporary / f"conversion-platform-{name}").mkdir()
    (temporary / f"{host}.{gone.pid}.abc.spill").mkdir()
    if os.geteuid() == 0:
        foreign = temporary / f"conversion-platform-scratch-{host}.{gone.pid}.abd.spill"
        foreign.mkdir()
        os.chown(foreign, 1234, 1234)
    before = set(temporary.iterdir())
    with start(SCRATCH_FOR_EVER) as process:
        assert process.stdout is not None and process.stdout.readline()
        living = set(temporary.iterdir()) - before
        assert len(living) == 2
        assert clear_scratch() == 0
        assert set(temporary.iterdir()) == before | living
        process.kill()
    assert clear_scratch() == 2
    assert set(temporary.iterdir()) == before
    assert (tmp_path / "elsewhere/file").exists()


REPLACE_FOR_EVER = """
import sys
from conversion_platform.lake import LocalStorage
storage = LocalStorage(sys.argv[1])
print("at work", flush=True)
while True:
    for letter in (b"a", b"b"):
        storage.replace("t/data.parquet", letter * 3_000_000)
"""


@pytest.mark.parametrize("seed", range(6))
def test_a_kill_leaves_the_old_bytes_or_the_new(tmp_path: Path, seed: int) -> None:
    storage = LocalStorage(tmp_path)
    storage.replace("t/data.parquet", b"a" * 3_000_000)
    kill_at_work(REPLACE_FOR_EVER, str(tmp_path), seconds=0.2, seed=seed)
    assert storage.read("t/data.parquet") in (b"a" * 3_000_000, b"b" * 3_000_000)
    assert storage.list("") == ["t/data.parquet"]
    storage.clear_staging()
    assert list(storage.staging_folder().iterdir()) == []


CREATE_FOR_EVER = """
import sys, itertools
from conversion_platform.lake import LocalStorage
storage = LocalStorage(sys.argv[1])
print("at work", flush=True)
for number in itertools.count():
    storage.create(f"log/{number:06}", b"%06d" % number * 100_000)
"""


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_leaves_created_keys_whole_or_absent(tmp_path: Path, seed: int) -> None:
    kill_at_work(CREATE_FOR_EVER, str(tmp_path), seconds=0.2, seed=seed)
    storage = LocalStorage(tmp_path)
    for key in storage.list("log"):
        assert storage.read(key) == key[-6:].encode() * 100_000


def _create_all(root: str, name: str, wins: multiprocessing.Queue[tuple[str, int]]) -> None:
    storage = LocalStorage(root)
    won = sum(storage.create(f"log/{number}", name.encode()) for number in range(200))
    wins.put((name, won))


def test_of_two_processes_exactly_one_creates_each_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    wins: multiprocessing.Queue[tuple[str, int]] = context.Queue()
    workers = [
        context.Process(target=_create_all, args=(str(tmp_path), name, wins)) for name in "ab"
    ]
    for worker in workers:
        worker.start()
    won = dict(wins.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join()
    storage = LocalStorage(tmp_path)
    owners = [storage.read(f"log/{number}").decode() for number in range(200)]
    assert won == {"a": owners.count("a"), "b": owners.count("b")}


def test_a_lake_folder_that_is_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("not a folder")
    with pytest.raises(LakeError, match=r"is a file, not a folder.*\n.*platform.lake"):
        LocalStorage(tmp_path / "lake").replace("a", b"x")


def test_a_missing_bucket_says_so(s3: S3Server) -> None:
    storage = S3Storage("s3://no-such-bucket-anywhere/prefix", s3.files())
    with pytest.raises(LakeError, match=r"NoSuchBucket.*\n.*Create the bucket"):
        storage.list("t")


def test_an_s3_server_that_is_not_there_says_so(tmp_path: Path) -> None:
    files = s3_files(
        endpoint_url="http://127.0.0.1:9",
        key="x",
        secret="never-shown",
        client_kwargs={"region_name": "us-east-1"},
        config_kwargs={"retries": {"max_attempts": 0}, "connect_timeout": 1},
    )
    files.retries = 1
    storage = S3Storage("s3://bucket", files)
    file = tmp_path / "f"
    file.write_bytes(b"x")
    for attempt in (
        lambda: storage.read("a"),
        lambda: storage.publish(file, "a"),
        lambda: storage.list("a"),
    ):
        with pytest.raises(LakeError, match="S3 cannot be reached") as caught:
            attempt()
        assert "never-shown" not in str(caught.value)


@given(keys=st.sets(st.from_regex(r"[a-z]{1,3}(/[a-z=0-9-]{1,5}){0,2}/f", fullmatch=True)))
def test_local_listings_hold_exactly_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, keys: set[str]
) -> None:
    storage = LocalStorage(tmp_path_factory.mktemp("lake"))
    keys = {key for key in keys if not any(other.startswith(f"{key}/") for other in keys)}
    for key in keys:
        storage.replace(key, key.encode())
    assert storage.list("") == sorted(keys)


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ("/proc/no-such-process", "No such file or directory"),
        ("{tmp}/" + 300 * "x", "File name too long"),
        ("{tmp}/file", "a part of that path is a file"),
        ("{tmp}/round", "Too many levels of symbolic links"),
    ],
)
def test_a_place_that_cannot_hold_a_lake_is_one_message_with_what_to_do(
    tmp_path: Path, part: str, why: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "round").symlink_to(tmp_path / "round")
    place = part.format(tmp=tmp_path)
    with pytest.raises(LakeError, match=why) as caught:
        open_storage(place).replace("a", b"x")
    assert place in caught.value.problem and "platform.lake" in caught.value.remedy


def test_a_session_that_only_reads_leaves_a_place_without_a_lake_as_it_is(tmp_path: Path) -> None:
    lake = Lake(open_storage(str(tmp_path / "lake")), memory_limit="60MB", threads=1)
    with lake.connect(reading=True) as con:
        con.execute("CREATE TEMP TABLE t AS SELECT md5(range::VARCHAR) AS a FROM range(2000000)")
        spilled = con.execute("SELECT count(*) FROM duckdb_temporary_files()").fetchall()
    assert spilled > [(0,)]
    assert list(tmp_path.iterdir()) == []


def test_an_error_about_a_file_elsewhere_is_not_told_as_one_of_the_lake(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), readable_disk_errors(str(tmp_path / "lake")):
        (tmp_path / "source.csv").read_bytes()
