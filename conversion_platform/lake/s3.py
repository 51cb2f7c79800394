"""The storage on S3, and the file system through which DuckDB reads it.

DuckDB's own S3 reader is an extension that must be downloaded; this one needs nothing but the
boto3 client that the storage writes with, so both see the same endpoint and credentials.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import LakeError
from conversion_platform.lake.errors import missing_file
from conversion_platform.lake.storage import Storage, user_staging_folder

if TYPE_CHECKING:
    import duckdb


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
        folder = f"{prefix.rstrip('/')}/" if prefix else ""
        with readable_s3_errors(self.root):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + folder
            )
            keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return sorted(key.removeprefix(self._prefix) for key in keys)

    def read(self, key: str) -> bytes:
        with readable_s3_errors(self.location(key)):
            answer = self.client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            body: bytes = answer["Body"].read()
        return body

    def replace(self, key: str, data: bytes) -> None:
        with readable_s3_errors(self.location(key)):
            self.client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data)

    def create(self, key: str, data: bytes) -> bool:
        from botocore.exceptions import ClientError

        with readable_s3_errors(self.location(key)):
            try:
                self.client.put_object(
                    Bucket=self._bucket, Key=self._prefix + key, Body=data, IfNoneMatch="*"
                )
            except ClientError as error:
                if _status(error) in (409, 412):
                    return False
                raise
        return True

    def adopt(self, file: Path, key: str) -> None:
        # upload_file completes a multipart upload at its end: readers see old or new, never half.
        with readable_s3_errors(self.location(key)):
            self.client.upload_file(str(file), self._bucket, self._prefix + key)
        file.unlink()

    def size(self, key: str) -> int:
        with readable_s3_errors(self.location(key)):
            answer = self.client.head_object(Bucket=self._bucket, Key=self._prefix + key)
        length: int = answer["ContentLength"]
        return length

    def attach(self, con: duckdb.DuckDBPyConnection) -> None:
        con.register_filesystem(s3_filesystem(self.client))

    def staging_folder(self) -> Path:
        return user_staging_folder()


def _status(error: Any) -> int:
    status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status


@contextmanager
def readable_s3_errors(place: str) -> Iterator[None]:
    """Turns what boto3 raises into one message that says what to do."""
    from boto3.exceptions import S3UploadFailedError
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("NoSuchKey", "404"):
            raise missing_file(place) from error
        remedies = {
            "NoSuchBucket": "Create the bucket, or correct platform.lake.",
            "AccessDenied": "Give these credentials list, get and put on the bucket.",
        }
        raise LakeError(
            f"S3 refused a request for {place}: {code}.",
            remedies.get(code, "Check platform.lake, the credentials and the region."),
        ) from error
    except (BotoCoreError, S3UploadFailedError) as error:
        raise LakeError(
            f"S3 cannot be reached for {place}: {error}.",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or a profile or role), the region, "
            "and AWS_ENDPOINT_URL_S3 for a server that is not AWS.",
        ) from error


def s3_filesystem(client: Any | None = None) -> Any:
    """An fsspec file system that reads `s3://` through a boto3 client.

    Args:
        client: A boto3 S3 client; one with the default credential chain if not given.
    """
    if client is None:
        import boto3

        client = boto3.client("s3")
    from conversion_platform.lake.s3_files import ClientFileSystem

    return ClientFileSystem(client)
