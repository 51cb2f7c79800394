"""Where tables live: one Parquet file a day and table, in a local folder or on S3.

What belongs here: keys, days, atomic replacement, and the rules that all packages share of what was
known, who was present and which job was open when a day began (point_in_time.sql). What does not:
any other meaning of columns.
"""

from conversion_platform.lake.documents import canonical_json
from conversion_platform.lake.errors import Failure, Kind, failure_of
from conversion_platform.lake.format import (
    FORMAT,
    FORMAT_KEY,
    LakeFormat,
    ensure_format,
    lake_format,
    newer_format,
    require_format,
    set_format,
)
from conversion_platform.lake.identity import LAKE_ID_KEY, LOG_ID_KEY, ensure_lake_id, lake_id
from conversion_platform.lake.lake import Lake, Part, Select, Written, not_ready, open_lake
from conversion_platform.lake.masking import ValuesHidden, first_line, hide_values
from conversion_platform.lake.private import PRIVATE_FILE, PRIVATE_FOLDER, make_private
from conversion_platform.lake.quality import KeyQuality, SchemaQuality, key_quality, schema_quality
from conversion_platform.lake.s3 import S3Storage, readable_s3_errors, s3_files
from conversion_platform.lake.session import Session, open_session
from conversion_platform.lake.sql import (
    escape_glob,
    file_sql,
    identifier,
    instant,
    listed,
    local_day,
    quoted,
    registered,
    rendered,
    require_plain_folders,
    sql_file,
)
from conversion_platform.lake.storage import (
    DISK_FULL,
    STAGING,
    LocalStorage,
    Storage,
    is_personal,
    open_storage,
    readable_disk_errors,
    scratch_folder,
    unfenced,
)
from conversion_platform.lake.table import PERSONAL_FOLDER, Column, Table

__all__ = [
    "DISK_FULL",
    "FORMAT",
    "FORMAT_KEY",
    "LAKE_ID_KEY",
    "LOG_ID_KEY",
    "PERSONAL_FOLDER",
    "PRIVATE_FILE",
    "PRIVATE_FOLDER",
    "STAGING",
    "Column",
    "Failure",
    "KeyQuality",
    "Kind",
    "Lake",
    "LakeFormat",
    "LocalStorage",
    "Part",
    "S3Storage",
    "SchemaQuality",
    "Select",
    "Session",
    "Storage",
    "Table",
    "ValuesHidden",
    "Written",
    "canonical_json",
    "ensure_format",
    "ensure_lake_id",
    "escape_glob",
    "failure_of",
    "file_sql",
    "first_line",
    "hide_values",
    "identifier",
    "instant",
    "is_personal",
    "key_quality",
    "lake_format",
    "lake_id",
    "listed",
    "local_day",
    "make_private",
    "newer_format",
    "not_ready",
    "open_lake",
    "open_session",
    "open_storage",
    "quoted",
    "readable_disk_errors",
    "readable_s3_errors",
    "registered",
    "rendered",
    "require_format",
    "require_plain_folders",
    "s3_files",
    "schema_quality",
    "scratch_folder",
    "set_format",
    "sql_file",
    "unfenced",
]
