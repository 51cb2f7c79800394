"""Keys and bytes below one root: a local folder, or an S3 prefix.

Replacing a key is atomic in both: rename on a disk, a single PUT on S3. Creating a key that
must not exist yet is atomic too: a hard link on a disk, `If-None-Match: *` on S3.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import LakeError

if TYPE_CHECKING:
    import duckdb

STAGING = ".staging"


class Storage(ABC):
    """A place for keys. Keys are relative, with `/` between parts."""

    root: str

    @abstractmethod
    def location(self, key: str) -> str:
        """What DuckDB reads `key` by (after `attach`)."""

    @abstractmethod
    def list(self, prefix: str) -> list[str]:
        """All keys below folder `prefix`, sorted; empty where there is none."""

    @abstractmethod
    def read(self, key: str) -> bytes:
        """The bytes of `key`.

        Raises:
            LakeError: if there is no such key.
        """

    @abstractmethod
    def replace(self, key: str, data: bytes) -> None:
        """Writes `key`, atomically over what was there."""

    @abstractmethod
    def create(self, key: str, data: bytes) -> bool:
        """Writes `key` if it is new. Returns False, and changes nothing, if it exists."""

    @abstractmethod
    def adopt(self, file: Path, key: str) -> None:
        """Moves a finished staged file to `key`, atomically over what was there."""

    @abstractmethod
    def size(self, key: str) -> int:
        """Bytes of `key`."""

    @abstractmethod
    def attach(self, con: duckdb.DuckDBPyConnection) -> None:
        """Teaches a connection to read this storage's locations."""

    @abstractmethod
    def staging_folder(self) -> Path:
        """A local folder for files in the making."""

    @contextmanager
    def staged(self) -> Iterator[Path]:
        """A fresh local file name to write to; whatever is left of it is removed after."""
        folder = self.staging_folder()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{os.getpid()}-{uuid.uuid4().hex}.parquet"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def readable_disk_errors(place: str) -> Iterator[None]:
    """Turns the operating system's disk errors into one message that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(place) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise LakeError(
                f"{place} cannot be written: {error.strerror}.",
                "Give the user that runs the platform write access, or change platform.lake.",
            ) from error
        raise


def disk_full(place: str) -> LakeError:
    """The error for a full disk at `place`."""
    return LakeError(
        f"The disk that holds {place} is full; the partition that was there is unchanged.",
        "Free space (or move platform.lake), then run the same days again.",
    )


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
            inside = Path(folder).relative_to(self.root).as_posix()
            found += [f"{inside}/{name}" for name in files]
        return sorted(found)

    def read(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError as error:
            raise _no_such_key(self.location(key)) from error

    def replace(self, key: str, data: bytes) -> None:
        with readable_disk_errors(self.root), self.staged() as path:
            _write_synced(path, data)
            self.adopt(path, key)

    def create(self, key: str, data: bytes) -> bool:
        target = self._path(key)
        with readable_disk_errors(self.root), self.staged() as path:
            _write_synced(path, data)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, target)
            except FileExistsError:
                return False
            _sync_folder(target.parent)
            return True

    def adopt(self, file: Path, key: str) -> None:
        target = self._path(key)
        with readable_disk_errors(self.root):
            target.parent.mkdir(parents=True, exist_ok=True)
            with file.open("rb+") as handle:
                os.fsync(handle.fileno())
            file.replace(target)
            _sync_folder(target.parent)

    def size(self, key: str) -> int:
        return self._path(key).stat().st_size

    def attach(self, con: duckdb.DuckDBPyConnection) -> None:
        """Local files need nothing."""

    def staging_folder(self) -> Path:
        return Path(self.root) / STAGING

    def clear_staging(self) -> None:
        """Removes what a killed process left behind. Only for when no other run is under way."""
        shutil.rmtree(self.staging_folder(), ignore_errors=True)


def _no_such_key(location: str) -> LakeError:
    return LakeError(f"{location} does not exist.", "Materialise the stage that writes it first.")


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def _sync_folder(folder: Path) -> None:
    """Makes a rename survive a power cut (POSIX: the folder's entry is data too)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class S3Storage(Storage):
    """A prefix of a bucket.

    Args:
        root: `s3://bucket/prefix`.
        client: A boto3 S3 client; one with the default credential chain if not given.
    """

    def __init__(self, root: str, client: Any | None = None) -> None:
        self.root = root.rstrip("/")
        bucket, _, prefix = self.root.removeprefix("s3://").partition("/")
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._given = client

    @property
    def client(self) -> Any:
        """The boto3 client, made at first use (boto3 takes half a second to import)."""
        if self._given is None:
            import boto3

            self._given = boto3.client("s3")
        return self._given

    def location(self, key: str) -> str:
        return f"{self.root}/{key}"

    def list(self, prefix: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._prefix}{prefix.rstrip('/')}/"
        )
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return sorted(key.removeprefix(self._prefix) for key in keys)

    def read(self, key: str) -> bytes:
        try:
            answer = self.client.get_object(Bucket=self._bucket, Key=self._prefix + key)
        except self.client.exceptions.NoSuchKey as error:
            raise _no_such_key(self.location(key)) from error
        body: bytes = answer["Body"].read()
        return body

    def replace(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data)

    def create(self, key: str, data: bytes) -> bool:
        from botocore.exceptions import ClientError

        try:
            self.client.put_object(
                Bucket=self._bucket, Key=self._prefix + key, Body=data, IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412):
                return False
            raise
        return True

    def adopt(self, file: Path, key: str) -> None:
        # upload_file completes a multipart upload at its end: readers see old or new, never half.
        self.client.upload_file(str(file), self._bucket, self._prefix + key)
        file.unlink()

    def size(self, key: str) -> int:
        answer = self.client.head_object(Bucket=self._bucket, Key=self._prefix + key)
        length: int = answer["ContentLength"]
        return length

    def attach(self, con: duckdb.DuckDBPyConnection) -> None:
        con.register_filesystem(s3_filesystem(self.client))

    def staging_folder(self) -> Path:
        return Path(tempfile.gettempdir()) / "conversion-platform"


def s3_filesystem(client: Any | None = None) -> Any:
    """An fsspec file system for DuckDB (httpfs would be a download), with the client's endpoint."""
    import s3fs

    if client is None:
        return s3fs.S3FileSystem()
    credentials = client._request_signer._credentials
    frozen = credentials.get_frozen_credentials() if credentials else None
    return s3fs.S3FileSystem(
        key=frozen.access_key if frozen else None,
        secret=frozen.secret_key if frozen else None,
        token=frozen.token if frozen else None,
        endpoint_url=client.meta.endpoint_url,
        client_kwargs={"region_name": client.meta.region_name},
        use_listings_cache=False,
        skip_instance_cache=True,
    )


def open_storage(root: str, client: Any | None = None) -> Storage:
    """The storage for a root: S3 for s3://, else a local folder."""
    return S3Storage(root, client) if root.startswith("s3://") else LocalStorage(root)
