"""Where tables live: one Parquet file a day and table, in a local folder or on S3.

The room knows keys, days and atomic replacement; it knows nothing of what the columns mean.
"""

from conversion_platform.lake.lake import Lake, Written, open_lake
from conversion_platform.lake.quality import KeyQuality, key_quality
from conversion_platform.lake.s3 import S3Storage, s3_filesystem
from conversion_platform.lake.storage import LocalStorage, Storage, open_storage
from conversion_platform.lake.table import Column, Table

__all__ = [
    "Column",
    "KeyQuality",
    "Lake",
    "LocalStorage",
    "S3Storage",
    "Storage",
    "Table",
    "Written",
    "key_quality",
    "open_lake",
    "open_storage",
    "s3_filesystem",
]
