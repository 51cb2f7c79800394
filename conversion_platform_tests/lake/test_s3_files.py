"""The file system through which DuckDB and others read `s3://`."""

from __future__ import annotations

from typing import Any

import pytest

from conversion_platform.lake import s3_files
from conversion_platform_tests.servers import S3Server

DATA = bytes(range(256)) * 40


@pytest.fixture
def bucket(s3: S3Server) -> str:
    name = s3.new_bucket()
    for key in ("t/dt=2026-01-01/a.csv", "t/dt=2026-01-02/b.csv", "t/c.csv"):
        s3.client().put_object(Bucket=name, Key=key, Body=DATA)
    return name


@pytest.fixture
def files(s3: S3Server) -> Any:
    return s3.files()


@pytest.mark.parametrize(("start", "count"), [(0, 8), (5, 1), (100, 5000), (10_200, 40), (0, -1)])
def test_any_part_of_an_object_is_read_exactly(
    files: Any, bucket: str, start: int, count: int
) -> None:
    with files.open(f"s3://{bucket}/t/c.csv", "rb") as file:
        file.seek(start)
        assert file.read(count) == (DATA[start:] if count < 0 else DATA[start : start + count])
        assert file.tell() == (len(DATA) if count < 0 else start + count)


def test_a_folder_lists_what_is_right_below(files: Any, bucket: str) -> None:
    names = files.ls(f"s3://{bucket}/t", detail=False)
    assert sorted(names) == [f"{bucket}/t/{n}" for n in ("c.csv", "dt=2026-01-01", "dt=2026-01-02")]


def test_globs_reach_into_folders(files: Any, bucket: str) -> None:
    assert files.glob(f"s3://{bucket}/t/*/*.csv") == [
        f"{bucket}/t/dt=2026-01-01/a.csv",
        f"{bucket}/t/dt=2026-01-02/b.csv",
    ]


def test_what_is_there_is_told_from_what_is_not(files: Any, bucket: str) -> None:
    assert files.info(f"s3://{bucket}/t/c.csv")["size"] == len(DATA)
    assert files.exists(f"s3://{bucket}/t/c.csv")
    assert not files.exists(f"s3://{bucket}/t/nothing")
    with pytest.raises(FileNotFoundError):
        files.open(f"s3://{bucket}/t/nothing", "rb")


def test_an_object_that_was_replaced_is_read_anew(files: Any, bucket: str, s3: S3Server) -> None:
    path = f"s3://{bucket}/t/c.csv"
    assert files.cat_file(path) == DATA
    s3.client().put_object(Bucket=bucket, Key="t/c.csv", Body=b"short")
    assert files.cat_file(path) == b"short"


def test_two_file_systems_share_nothing(s3: S3Server) -> None:
    assert s3.files() is not s3.files()


def test_the_environment_decides(s3_environment: S3Server, bucket: str) -> None:
    assert s3_files().cat_file(f"s3://{bucket}/t/c.csv") == DATA
