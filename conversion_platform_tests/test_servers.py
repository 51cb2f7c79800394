"""The servers that other tests lean on are real and empty."""

from __future__ import annotations

import boto3
import psycopg
import s3fs

from conversion_platform_tests.servers import PostgresServer, S3Server


def test_each_postgres_database_is_empty_and_its_own(postgres: PostgresServer) -> None:
    one, two = postgres.new_database(), postgres.new_database()
    with psycopg.connect(one, autocommit=True) as con:
        con.execute("CREATE TABLE here (n bigint)")
    with psycopg.connect(two) as con:
        found = con.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'here'").fetchone()
    assert found == (0,)


def test_boto3_and_s3fs_reach_the_server_through_the_environment(
    s3_environment: S3Server,
) -> None:
    bucket = s3_environment.new_bucket()
    boto3.client("s3").put_object(Bucket=bucket, Key="a/b.txt", Body=b"hello")
    files = s3fs.S3FileSystem(skip_instance_cache=True)
    assert files.cat(f"{bucket}/a/b.txt") == b"hello"
