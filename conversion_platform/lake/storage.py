"""Keys and bytes below one root: a local folder, or an S3 prefix.

Replacing a key is atomic in both: a rename on a disk; on S3 an upload (in parts if the file is
large), whose object appears whole when it completes. Creating a key that must not exist yet is
atomic too: a hard link on a disk, `If-None-Match: *` on S3.
"""

from __future__ import annotations

import errno
import getpass
import os
import shutil
import socket
import tempfile
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import LakeError
from conversion_platform.lake.errors import disk_full, missing_file
from conversion_platform.lake.private import PRIVATE_FILE, PRIVATE_FOLDER, make_private
from conversion_platform.lake.table import PERSONAL_FOLDER
from conversion_platform.process import removed_when_stopped

if TYPE_CHECKING:
    import duckdb

STAGING = ".staging"
SCRATCH = "conversion-platform-scratch-"
"""How the names of folders in the system's temporary folder begin that one process needs."""
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def unfenced() -> None:
    """Let every publish through."""


class Storage(ABC):
    """A place for keys. Keys are relative, with `/` between parts.

    Attributes:
        root: The folder, or the prefix of a bucket.
        fence: Called right before anything is published; it raises if that must not be.
    """

    root: str
    fence: Callable[[], None] = staticmethod(unfenced)

    @abstractmethod
    def location(self, key: str) -> str:
        """Return what DuckDB reads `key` by (after `attach`)."""

    @abstractmethod
    def list(self, prefix: str) -> list[str]:
        """All keys below folder `prefix`, sorted; empty where there is none."""

    @abstractmethod
    def read(self, key: str) -> bytes:
        """Return the bytes of `key`.

        Raises:
            LakeError: if there is no such key.
        """

    @abstractmethod
    def replace(self, key: str, data: bytes) -> None:
        """Write `key`, atomically over what was there."""

    @abstractmethod
    def create(self, key: str, data: bytes) -> bool:
        """Write `key` if it is new. Returns False, and changes nothing, if it exists."""

    @abstractmethod
    def publish(self, file: Path, key: str) -> None:
        """Move a finished staged file to `key`, atomically over what was there."""

    @abstractmethod
    def remove(self, key: str) -> None:
        """Remove `key`, if it exists."""

    @abstractmethod
    def size(self, key: str) -> int:
        """Bytes of `key`."""

    @abstractmethod
    def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of each key below folder `prefix`; empty where there is none."""

    @abstractmethod
    def keep_private(self, keys: Iterable[str]) -> None:
        """Take files away from everyone but their owner."""

    @abstractmethod
    def attach(self, con: duckdb.DuckDBPyConnection) -> None:
        """Teaches a connection to read this storage's locations."""

    @abstractmethod
    def staging_folder(self) -> Path:
        """Return a local folder for files in the making."""

    @contextmanager
    def staged(self, private: bool = False) -> Iterator[Path]:
        """Return a fresh local file name to write to; whatever is left of it is removed after.

        Args:
            private: Whether the file exists already, empty, for its owner alone.
        """
        path = self._staging_path(".parquet")
        with removed_when_stopped(path):
            try:
                if private:
                    with readable_disk_errors(self.root):
                        path.touch(PRIVATE_FILE, exist_ok=False)
                yield path
            finally:
                path.unlink(missing_ok=True)

    @contextmanager
    def spill_folder(self, reading: bool = False) -> Iterator[Path]:
        """Make a folder, for its owner alone, for one session's spilled data.

        DuckDB's file names repeat, so each session has one of its own.

        Args:
            reading: Whether nothing may be made where nothing was written yet, or where others
                write; what is spilled goes to the system's temporary folder then.
        """
        clear_scratch()
        # A reader may be somebody to whom the staging folder is closed.
        staging = self.staging_folder()
        if reading and not (os.access(staging, os.W_OK | os.X_OK) and _is_trusted(staging)):
            with readable_disk_errors(self.root):
                path = _new_scratch(".spill")
        else:
            path = self._staging_path(".spill")
            with readable_disk_errors(self.root):
                path.mkdir(PRIVATE_FOLDER)  # what DuckDB makes, others may read
        with removed_when_stopped(path):
            try:
                yield path
            finally:
                shutil.rmtree(path, ignore_errors=True)

    def _staging_path(self, suffix: str) -> Path:
        folder = self.staging_folder()
        with readable_disk_errors(self.root):
            folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            make_private(folder)  # copies of sources and what sessions spill may be personal
        if not _is_trusted(folder):
            raise LakeError(
                f"{folder} belongs to another user of this machine, who could read what is "
                "written there.",
                "Remove it, or let TMPDIR name a folder of your own.",
            )
        return folder / f"{_owned_name()}{suffix}"

    def clear_staging(self) -> int:
        """Remove what killed processes of this machine left behind; returns how many things.

        Safe at any time: what a living process, or another machine, is making stays.
        """
        left = [path for path in self.staging_folder().glob("*") if _abandoned(path.name)]
        for path in left:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return len(left)


def clear_scratch() -> int:
    """Remove the scratch folders that killed processes left behind; returns how many.

    What a living process, another machine or another user is making stays. Readers remove nothing
    else: they may not write where the lake is.
    """
    left = [
        Path(entry.path)
        for entry in os.scandir(tempfile.gettempdir())
        if entry.name.startswith(SCRATCH)
        and _abandoned(entry.name.removeprefix(SCRATCH))
        and _is_own_folder(entry)
    ]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)


def _is_own_folder(entry: os.DirEntry[str]) -> bool:
    try:
        own = entry.stat(follow_symlinks=False).st_uid == os.geteuid()
    except FileNotFoundError:
        return False  # another command has just removed it
    return own and entry.is_dir(follow_symlinks=False)


def _new_scratch(suffix: str) -> Path:
    """Make a folder, for its owner alone, in the system's temporary folder."""
    path = Path(tempfile.gettempdir()) / f"{SCRATCH}{_owned_name()}{suffix}"
    path.mkdir(PRIVATE_FOLDER)
    return path


def _owned_name() -> str:
    """Return a new name, which says whose it is: `_abandoned` reads it."""
    return f"{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex}"


def _is_trusted(folder: Path) -> bool:
    """Return whether a folder is this user's, or of whom the folder belongs to that it is in.

    Anyone can make a folder, or a link to one, in the system's temporary folder.
    """
    owners = {os.geteuid(), folder.parent.stat().st_uid}
    return folder.lstat().st_uid in owners and folder.stat().st_uid in owners


def _abandoned(name: str) -> bool:
    """Return whether a name is of a process of this machine that is not there any more."""
    host, _, rest = name.rpartition(".")[0].rpartition(".")[0].rpartition(".")
    return host == socket.gethostname() and rest.isdigit() and not _alive(int(rest))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's, and there
    return True


@contextmanager
def readable_disk_errors(place: str) -> Iterator[None]:
    """Turn the operating system's disk errors into one message that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise disk_full(place) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise LakeError(
                f"{place} cannot be written: {error.strerror}.",
                "Give the user that runs the platform write access, or change platform.lake.",
            ) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST):
            raise LakeError(
                f"{place} cannot hold the lake: a part of that path is a file, not a folder.",
                "Move that file, or change platform.lake.",
            ) from error
        if not _tells_of(error, place):
            raise
        raise LakeError(
            f"{place} cannot hold the lake: {error.strerror or error}.",
            "Correct platform.lake: a folder that is there or can be made, on a disk that works.",
        ) from error


def _tells_of(error: OSError, place: str) -> bool:
    """Whether an error is about a place, or a folder above it, and not some file elsewhere."""
    name = str(error.filename or place)
    return name.startswith(place) or place.startswith(name)


class LocalStorage(Storage):
    """A folder on this machine."""

    def __init__(self, root: str | Path) -> None:
        self.root = str(Path(root).absolute())

    def _path(self, key: str) -> Path:
        return Path(self.root) / key

    def location(self, key: str) -> str:
        return str(self._path(key))

    def list(self, prefix: str) -> list[str]:
        found = []
        for folder, folders, files in os.walk(self._path(prefix)):
            folders[:] = [name for name in folders if name != STAGING]
            inside = Path(folder).relative_to(self.root)
            found += [(inside / name).as_posix() for name in files]
        return sorted(found)

    def read(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise missing_file(self.location(key)) from error

    def replace(self, key: str, data: bytes) -> None:
        with readable_disk_errors(self.root), self.staged(is_personal(key)) as path:
            _write_synced(path, data)
            self.publish(path, key)

    def create(self, key: str, data: bytes) -> bool:
        target = self._path(key)
        with readable_disk_errors(self.root), self.staged(is_personal(key)) as path:
            _write_synced(path, data)
            _make_folder(target.parent)
            self.fence()
            try:
                os.link(path, target)
            except FileExistsError:
                return False
            _sync_folder(target.parent)
            return True

    def publish(self, file: Path, key: str) -> None:
        target = self._path(key)
        with readable_disk_errors(self.root):
            _make_folder(target.parent)
            with file.open("rb+") as handle:
                if is_personal(key):
                    os.fchmod(handle.fileno(), PRIVATE_FILE)
                os.fsync(handle.fileno())
            self.fence()
            file.replace(target)
            _sync_folder(target.parent)

    def remove(self, key: str) -> None:
        target = self._path(key)
        with readable_disk_errors(self.root):
            self.fence()
            target.unlink(missing_ok=True)
            if target.parent.is_dir():
                _sync_folder(target.parent)

    def size(self, key: str) -> int:
        return self._path(key).stat().st_size

    def sizes(self, prefix: str) -> dict[str, int]:
        return {key: self.size(key) for key in self.list(prefix)}

    def keep_private(self, keys: Iterable[str]) -> None:
        for key in keys:
            make_private(self._path(key))

    def attach(self, con: duckdb.DuckDBPyConnection) -> None:
        """Local files need nothing."""

    def staging_folder(self) -> Path:
        return Path(self.root) / STAGING


def is_personal(key: str) -> bool:
    """Return whether a key is of a personal table's file."""
    return key.startswith(f"{PERSONAL_FOLDER}/")


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each so that it survives a power cut."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut (POSIX: the folder's entry is data too)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def user_staging_folder() -> Path:
    """Where files are made that go elsewhere: one folder for each person on a shared machine."""
    return Path(tempfile.gettempdir()) / f"conversion-platform-{getpass.getuser()}"


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """Make a temporary folder, for its owner alone, for a lake that only one command needs.

    What a killed command left of such folders is removed first.

    Args:
        name: What it is for; its name ends so.
    """
    clear_scratch()
    path = _new_scratch(f".{name}")
    with removed_when_stopped(path):
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def open_storage(root: str, files: Any | None = None) -> Storage:
    """Return the storage for a root: S3 for s3://, else a local folder."""
    if root.startswith("s3://"):
        from conversion_platform.lake.s3 import S3Storage

        return S3Storage(root, files)
    return LocalStorage(root)
