"""Files of the log: `event_log/event_type=<t>/dt=<day>/<number>.parquet`, numbered from 1.

The number makes concurrent writers safe, on a disk and on S3: a file is created only if its number
is free, so one of two writers succeeds, and the other reads the new file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.event_log.types import EVENT_TYPES, EventType

if TYPE_CHECKING:
    from conversion_platform.lake import Lake

ROOT = "event_log"
NAME = re.compile(r"dt=(\d{4}-\d{2}-\d{2})/(\d{8})\.parquet")


def folder(event_type: EventType) -> str:
    """Return the folder of a type."""
    return f"{ROOT}/event_type={event_type.name}"


def file_key(event_type: EventType, day: date, number: int) -> str:
    """Return the key of file `number` of a type and day."""
    return f"{folder(event_type)}/dt={day.isoformat()}/{number:08}.parquet"


def log_files(lake: Lake, event_type: EventType) -> dict[date, list[int]]:
    """Return the numbers of a type's complete files by day, in order."""
    return _numbers(lake.storage.list(folder(event_type)), folder(event_type))


def day_files(lake: Lake, event_type: EventType, day: date) -> list[int]:
    """Return the numbers of the files of one type and day, as they are now."""
    above = folder(event_type)
    return _numbers(lake.storage.list(f"{above}/dt={day.isoformat()}"), above).get(day, [])


def _numbers(keys: Sequence[str], above: str) -> dict[date, list[int]]:
    found: dict[date, list[int]] = {}
    for key in keys:
        match = NAME.fullmatch(key.removeprefix(f"{above}/"))
        if match:
            found.setdefault(date.fromisoformat(match[1]), []).append(int(match[2]))
    return {day: sorted(numbers) for day, numbers in sorted(found.items())}


def select_log(lake: Lake, event_type: EventType, files: Mapping[date, Sequence[int]]) -> str:
    """Return SQL (a parenthesised query) over log files; an empty result if there are none."""
    keys = [file_key(event_type, day, number) for day in files for number in files[day]]
    return lake.select_keys(keys, event_type.empty_select())


def gaps(numbers: Sequence[int]) -> list[int]:
    """Return the missing numbers below the highest: their files were removed."""
    return sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))


def missing_files(lake: Lake) -> list[str]:
    """Return the locations of log files that have been removed.

    The absence of the last file of a day cannot be detected.
    """
    return [
        lake.storage.location(file_key(event_type, day, number))
        for event_type in EVENT_TYPES
        for day, numbers in log_files(lake, event_type).items()
        for number in gaps(numbers)
    ]
