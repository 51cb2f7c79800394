"""Where tables live: one Parquet file a day and table, in a local folder or on S3.

The room knows keys, days and atomic replacement; it knows nothing of what the columns mean.
"""

from conversion_platform.lake.errors import Failure, Kind, failure_of
from conversion_platform.lake.identity import LAKE_ID_KEY, LOG_ID_KEY, ensure_lake_id, lake_id
from conversion_platform.lake.lake import Lake, Written, canonical_json, not_ready, open_lake
from conversion_platform.lake.quality import KeyQuality, key_quality
from conversion_platform.lake.s3 import S3Storage, readable_s3_errors, s3_files
from conversion_platform.lake.session import Session, open_session
from conversion_platform.lake.sql import instant, listed, quoted, registered
from conversion_platform.lake.storage import (
    DISK_FULL,
    STAGING,
    LocalStorage,
    Storage,
    open_storage,
    readable_disk_errors,
    scratch_folder,
    unfenced,
)
from conversion_platform.lake.table import Column, Table

__all__ = [
    "DISK_FULL",
    "LAKE_ID_KEY",
    "LOG_ID_KEY",
    "STAGING",
    "Column",
    "Failure",
    "KeyQuality",
    "Kind",
    "Lake",
    "LocalStorage",
    "S3Storage",
    "Session",
    "Storage",
    "Table",
    "Written",
    "canonical_json",
    "ensure_lake_id",
    "failure_of",
    "instant",
    "key_quality",
    "lake_id",
    "listed",
    "not_ready",
    "open_lake",
    "open_session",
    "open_storage",
    "quoted",
    "readable_disk_errors",
    "readable_s3_errors",
    "registered",
    "s3_files",
    "scratch_folder",
    "unfenced",
]
