"""The storage on S3, through s3fs: for the lake's files, for DuckDB, and for sources.

DuckDB's own S3 reader is an extension that must be downloaded; s3fs needs no download, and DuckDB
reads through it. Endpoint, region and credentials come from AWS's usual environment variables,
profile or role.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import LakeError, UnreachableError
from conversion_platform.lake.errors import missing_file
from conversion_platform.lake.storage import Storage, user_staging_folder

if TYPE_CHECKING:
    import duckdb

_REMEDIES = {
    "NoSuchBucket": "Create the bucket, or correct {setting}.",
    "AccessDenied": "Give these credentials list, get and put on the bucket.",
}
_TAKEN = (409, 412)  # HTTP status of a conditional write to a key that exists, or is being made


def s3_files(**options: Any) -> Any:
    """Return the fsspec file system for `s3://`.

    Args:
        **options: Of `s3fs.S3FileSystem`, to differ from the environment.
    """
    import s3fs

    return s3fs.S3FileSystem(
        skip_instance_cache=True,
        use_listings_cache=False,
        # DuckDB asks for whole column chunks and skips the columns that it does not need.
        default_cache_type="none",
        default_fill_cache=False,
        **options,
    )


class S3Storage(Storage):
    """A prefix of a bucket.

    Args:
        root: `s3://bucket/prefix`.
        files: The file system; the one of the environment if not given.
    """

    def __init__(self, root: str, files: Any | None = None) -> None:
        self.root = root.rstrip("/")
        self._given = files

    @property
    def files(self) -> Any:
        """The file system, made at first use (s3fs takes half a second to import)."""
        if self._given is None:
            self._given = s3_files()
        return self._given

    def location(self, key: str) -> str:
        return f"{self.root}/{key}"

    def list(self, prefix: str) -> list[str]:
        folder = self.location(prefix).rstrip("/")
        with readable_s3_errors(self.root):
            found: list[str] = self.files.find(folder)
            if not found and not self.files.exists(self.root.split("/")[2]):
                raise _refused(self.root, "NoSuchBucket")
        above = f"{self.root.removeprefix('s3://')}/"
        return sorted(name.removeprefix(above) for name in found if name.startswith(above))

    def read(self, key: str) -> bytes:
        with readable_s3_errors(self.location(key)):
            content: bytes = self.files.cat_file(self.location(key))
        return content

    def replace(self, key: str, data: bytes) -> None:
        self.fence()
        with readable_s3_errors(self.location(key)):
            self.files.pipe_file(self.location(key), data)

    def create(self, key: str, data: bytes) -> bool:
        self.fence()
        with readable_s3_errors(self.location(key)):
            try:
                self.files.pipe_file(self.location(key), data, mode="create")
            except OSError as error:
                if _status(error) in _TAKEN:
                    return False
                raise
        return True

    def publish(self, file: Path, key: str) -> None:
        self.fence()
        # A multipart upload is completed at its end: readers see the old object or the new one.
        with readable_s3_errors(self.location(key)):
            self.files.put_file(str(file), self.location(key))
        file.unlink()

    def remove(self, key: str) -> None:
        self.fence()
        with readable_s3_errors(self.location(key)):
            if self.files.exists(self.location(key)):
                self.files.rm_file(self.location(key))

    def size(self, key: str) -> int:
        with readable_s3_errors(self.location(key)):
            length: int = self.files.info(self.location(key))["size"]
        return length

    def sizes(self, prefix: str) -> dict[str, int]:
        with readable_s3_errors(self.root):
            found = self.files.find(self.location(prefix).rstrip("/"), detail=True)
        above = f"{self.root.removeprefix('s3://')}/"
        return {name.removeprefix(above): one["size"] for name, one in found.items()}

    def keep_private(self, keys: Iterable[str]) -> None:
        """Objects have no modes: a bucket's policy separates the prefix `personal/`."""

    def attach(self, con: duckdb.DuckDBPyConnection) -> None:
        con.register_filesystem(self.files)

    def staging_folder(self) -> Path:
        return user_staging_folder()


def _answer(error: BaseException) -> dict[str, Any]:
    """Return what the server answered, from the botocore error behind one of s3fs."""
    answer: dict[str, Any] = getattr(error.__cause__, "response", None) or {}
    return answer


def _status(error: BaseException) -> int:
    return int(_answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextmanager
def readable_s3_errors(place: str, setting: str = "platform.lake") -> Iterator[None]:
    """Raise what s3fs and botocore say as one message that says what to do.

    Args:
        place: What is read or written.
        setting: The setting that names it.

    Raises:
        LakeError: S3 cannot be reached, refuses the request, or has no such object.
    """
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except BotoCoreError as error:
        raise _unreachable(place, error) from error
    except OSError as error:
        code = _answer(error).get("Error", {}).get("Code")
        if isinstance(error, FileNotFoundError) and code != "NoSuchBucket":
            raise missing_file(place) from error
        if code is None:
            raise _unreachable(place, error) from error
        raise _refused(place, code, setting) from error


def _refused(place: str, code: str, setting: str = "platform.lake") -> LakeError:
    remedy = _REMEDIES.get(code, "Check {setting}, the credentials and the region.")
    return LakeError(f"S3 refused a request for {place}: {code}.", remedy.format(setting=setting))


def _unreachable(place: str, error: Exception) -> UnreachableError:
    return UnreachableError(
        f"S3 cannot be reached for {place}: {error}.",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or a profile or role), the region, "
        "and AWS_ENDPOINT_URL_S3 for a server that is not AWS.",
    )
