"""An fsspec file system over a boto3 client: read-only, and only what DuckDB asks for.

Apart from `s3.py` because fsspec must be imported to subclass it.
"""

from __future__ import annotations

from typing import Any

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from conversion_platform.lake.s3 import readable_s3_errors


class ClientFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Reads `s3://bucket/key` with the client's endpoint, region and credentials."""

    protocol = "s3"
    cachable = False  # each client has a file system of its own

    def __init__(self, client: Any) -> None:
        super().__init__(use_listings_cache=False)
        self._client = client

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Size and time of one object.

        Raises:
            FileNotFoundError: there is none.
        """
        from botocore.exceptions import ClientError

        path = self._strip_protocol(path)
        bucket, _slash, key = path.partition("/")
        with readable_s3_errors(f"s3://{path}"):
            try:
                answer = self._client.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                    raise FileNotFoundError(f"s3://{path}") from error
                raise
        return {
            "name": path,
            "size": answer["ContentLength"],
            "type": "file",
            "mtime": answer["LastModified"].timestamp(),
        }

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """Objects and folders right below a prefix."""
        path = self._strip_protocol(path).rstrip("/")
        bucket, _slash, key = path.partition("/")
        with readable_s3_errors(f"s3://{path}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=f"{key}/" if key else "", Delimiter="/"
            )
            found = [entry for page in pages for entry in _entries(bucket, page)]
        return found if detail else [entry["name"] for entry in found]

    def modified(self, path: str) -> Any:
        """When an object was last written."""
        from datetime import UTC, datetime

        return datetime.fromtimestamp(self.info(path)["mtime"], UTC)

    def _open(self, path: str, mode: str = "rb", **_: Any) -> _ObjectFile:
        if mode != "rb":
            raise PermissionError(f"s3://{path} is opened for reading only")
        # No read-ahead: DuckDB asks for whole column chunks, and skips the columns it needs not.
        return _ObjectFile(self, path, mode=mode, cache_type="none", size=self.info(path)["size"])

    def fetch(self, path: str, start: int, end: int) -> bytes:
        """Bytes [start, end) of an object."""
        bucket, _slash, key = path.partition("/")
        with readable_s3_errors(f"s3://{path}"):
            answer = self._client.get_object(
                Bucket=bucket, Key=key, Range=f"bytes={start}-{end - 1}"
            )
            body: bytes = answer["Body"].read()
        return body


class _ObjectFile(AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
    """One object, read by ranges."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        content: bytes = self.fs.fetch(self.path, start, end)
        return content


def _entries(bucket: str, page: dict[str, Any]) -> list[dict[str, Any]]:
    folders = [
        {"name": f"{bucket}/{item['Prefix'].rstrip('/')}", "size": 0, "type": "directory"}
        for item in page.get("CommonPrefixes", [])
    ]
    files = [
        {"name": f"{bucket}/{item['Key']}", "size": item["Size"], "type": "file"}
        for item in page.get("Contents", [])
    ]
    return folders + files
