"""Where a lease lies: in a file, or as an object on S3.

A holder confirms its lease and asks whether it still has it. Both are safe against the holder that
stood still: in a file it writes to the very inode that it made, which nobody reads any more once
another lease has been moved over it.
"""

from __future__ import annotations

import os
import uuid
from abc import ABC, abstractmethod
from copy import copy
from pathlib import Path

from conversion_platform.errors import MissingFileError
from conversion_platform.lake import (
    STAGING,
    LocalStorage,
    Storage,
    readable_disk_errors,
    unfenced,
)
from conversion_platform.liveness.lease import Lease, decoded, encoded_count

LAKE_LEASE = "writer.lease"
FREE = b""


class Held(ABC):
    """A lease that this process took, or shares because this process took it before."""

    def __init__(self, lease: Lease, shared: bool) -> None:
        self.lease = lease
        self.shared = shared

    @abstractmethod
    def confirm(self) -> None:
        """Raise the lease's count, unless the lease is lost."""

    @abstractmethod
    def kept(self) -> bool:
        """Return whether the lease is still this one's."""

    @abstractmethod
    def give_back(self) -> None:
        """Let others have it, unless it is shared or lost."""

    @abstractmethod
    def close(self) -> None:
        """Stop holding it, and leave it where it is for others to judge."""


class LeaseStore(ABC):
    """A place that has one lease or none."""

    @abstractmethod
    def read(self) -> Lease | None:
        """Return the lease that lies here."""

    @abstractmethod
    def create(self, lease: Lease) -> Held | None:
        """Put a lease where none is. Return None, and change nothing, if there is one."""

    @abstractmethod
    def replace(self, lease: Lease) -> Held:
        """Put a lease over what is here."""

    @abstractmethod
    def share(self, lease: Lease) -> Held | None:
        """Hold a lease that another part of this process has taken; None if it has gone."""


class HeldFile(Held):
    """A lease in a file, by its open descriptor."""

    def __init__(self, lease: Lease, shared: bool, path: Path, descriptor: int) -> None:
        super().__init__(lease, shared)
        self._path = path
        self._descriptor = descriptor

    def confirm(self) -> None:
        self.lease = self.lease.confirmed()
        os.pwrite(self._descriptor, encoded_count(self.lease.count), 0)

    def kept(self) -> bool:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(self._descriptor))

    def give_back(self) -> None:
        if not self.shared and self.kept():
            self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class FileLeaseStore(LeaseStore):
    """A file, in a folder that is made when it is needed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Lease | None:
        try:
            return decoded(self._path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def create(self, lease: Lease) -> Held | None:
        with readable_disk_errors(str(self._path.parent)):
            draft, descriptor = self._draft(lease)
            try:
                os.link(draft, self._path)
            except FileExistsError:
                os.close(descriptor)
                return None
            finally:
                draft.unlink()
        return HeldFile(lease, False, self._path, descriptor)

    def replace(self, lease: Lease) -> Held:
        with readable_disk_errors(str(self._path.parent)):
            draft, descriptor = self._draft(lease)
            draft.replace(self._path)
        return HeldFile(lease, False, self._path, descriptor)

    def share(self, lease: Lease) -> Held | None:
        try:
            held = HeldFile(lease, True, self._path, os.open(self._path, os.O_RDWR))
        except FileNotFoundError:
            return None
        there = self.read()
        if there is not None and there.token == lease.token and held.kept():
            return held
        held.close()
        return None

    def _draft(self, lease: Lease) -> tuple[Path, int]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # The name by which a lake's staging folder tells what a dead process left.
        name = f"{lease.process.host}.{lease.process.pid}.{uuid.uuid4().hex}.draft"
        draft = self._path.with_name(name)
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(descriptor, lease.encoded())
        return draft, descriptor


class HeldObject(Held):
    """A lease on S3."""

    def __init__(self, lease: Lease, shared: bool, place: S3LeaseStore) -> None:
        super().__init__(lease, shared)
        self._place = place

    def confirm(self) -> None:
        if self.kept():
            self.lease = self.lease.confirmed()
            self._place.write(self.lease.encoded())

    def kept(self) -> bool:
        there = self._place.read()
        return there is not None and there.token == self.lease.token

    def give_back(self) -> None:
        if not self.shared and self.kept():
            self._place.write(FREE)

    def close(self) -> None:
        """Nothing is open between two requests."""


class S3LeaseStore(LeaseStore):
    """A key of a storage. Nothing is ever deleted there: an empty object is no lease."""

    def __init__(self, storage: Storage, key: str) -> None:
        self._storage = storage
        self._key = key

    def read(self) -> Lease | None:
        try:
            return decoded(self._storage.read(self._key))
        except MissingFileError:
            return None

    def create(self, lease: Lease) -> Held | None:
        if self.read() is not None:
            return None
        if not self._storage.create(self._key, lease.encoded()):
            self.write(lease.encoded())
        return HeldObject(lease, False, self)

    def replace(self, lease: Lease) -> Held:
        self.write(lease.encoded())
        return HeldObject(lease, False, self)

    def share(self, lease: Lease) -> Held | None:
        held = HeldObject(lease, True, self)
        return held if held.kept() else None

    def write(self, data: bytes) -> None:
        """Replace the object."""
        self._storage.replace(self._key, data)


def lake_lease_store(storage: Storage) -> LeaseStore:
    """Return where the lease of a lake's writer lies."""
    if isinstance(storage, LocalStorage):
        return FileLeaseStore(storage.staging_folder() / LAKE_LEASE)
    behind = copy(storage)
    behind.fence = unfenced  # the fence asks for this very lease
    return S3LeaseStore(behind, f"{STAGING}/{LAKE_LEASE}")
