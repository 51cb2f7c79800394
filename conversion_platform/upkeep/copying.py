"""Copies of single files: durable, for their owner alone, and of databases that are in use."""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from conversion_platform.errors import BackupError

SQLITE = b"SQLite format 3\0"
BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")
LOCK = ".lock"
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
CHUNK = 1 << 20
BUSY_SECONDS = 60.0


def is_database(file: Path) -> bool:
    """Return whether a file is a SQLite database."""
    with file.open("rb") as handle:
        return handle.read(len(SQLITE)) == SQLITE


def digest(file: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def copy_file(source: Path, target: Path, mode: int = PRIVATE_FILE) -> str:
    """Copy a file's bytes, and return the sha256 of what was read."""
    found = hashlib.sha256()
    with source.open("rb") as reader, _written(target, mode) as writer:
        while chunk := reader.read(CHUNK):
            found.update(chunk)
            writer.write(chunk)
    return found.hexdigest()


def write_private(target: Path, data: bytes) -> None:
    """Write a file for its owner alone."""
    with _written(target, PRIVATE_FILE) as writer:
        writer.write(data)


@contextmanager
def _written(target: Path, mode: int) -> Iterator[BinaryIO]:
    """Open a new file that nobody else can ever read, and see it onto the disk."""
    make_folder(target.parent)
    target.unlink(missing_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as writer:
        yield writer
        writer.flush()
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)


def copy_database(source: Path, target: Path) -> str:
    """Copy a SQLite database as it stands at one moment; other processes may write meanwhile.

    Returns:
        The sha256 of the copy.

    Raises:
        BackupError: the database is damaged.
    """
    make_folder(target.parent)
    target.unlink(missing_ok=True)
    target.touch(PRIVATE_FILE)
    address = f"file:{quote(str(source.absolute()))}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as reader,
        closing(sqlite3.connect(target)) as writer,
    ):
        reader.backup(writer)
        (found,) = writer.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise BackupError(
            f"The database {source} is damaged: {found}.",
            "Put an earlier backup of it back; a copy of this one would be of no use.",
        )
    return digest(target)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(PRIVATE_FOLDER, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames and new names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def readable_copy_errors(place: Path, remedy: str) -> Iterator[None]:
    """Turn what the operating system and SQLite say into one message.

    Args:
        place: What was being written.
        remedy: What to do when it is not the disk that is full.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise BackupError(
            f"Copying to {place} failed: {error}.", _make_space(place) if full else remedy
        ) from error
    except sqlite3.Error as error:
        full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
        raise BackupError(
            f"Copying a database to {place} failed: {error}.",
            _make_space(place) if full else remedy,
        ) from error


def _make_space(place: Path) -> str:
    return f"Free space on the disk that holds {place}, then run the same command again."
