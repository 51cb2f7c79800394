"""The log's files: `event_log/event_type=<t>/dt=<day>/<number>.parquet`, numbered from 1.

The number is what makes two writers safe on a disk and on S3 alike: a file is created only if
its number is free, so of two writers one wins, and the other reads what the winner wrote.
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
    """The folder of a type."""
    return f"{ROOT}/event_type={event_type.name}"


def file_key(event_type: EventType, day: date, number: int) -> str:
    """The key of file `number` of a type and day."""
    return f"{folder(event_type)}/dt={day.isoformat()}/{number:08}.parquet"


def log_files(lake: Lake, event_type: EventType) -> dict[date, list[int]]:
    """The numbers of a type's files by day, in order. Files in the making are never among them."""
    return _numbers(lake.storage.list(folder(event_type)), folder(event_type))


def day_files(lake: Lake, event_type: EventType, day: date) -> list[int]:
    """The numbers of the files of one type and day, as they are now."""
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
    """SQL (a parenthesised query) over log files; typed and empty where there is none."""
    keys = [file_key(event_type, day, number) for day in files for number in files[day]]
    return lake.select_keys(keys, event_type.empty_select())


def gaps(numbers: Sequence[int]) -> list[int]:
    """Numbers below the highest that are not there: somebody took a file away."""
    return sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))


def missing_files(lake: Lake) -> list[str]:
    """Locations of log files that were there once and are gone.

    The last file of a day is the one whose absence cannot be seen this way.
    """
    return [
        lake.storage.location(file_key(event_type, day, number))
        for event_type in EVENT_TYPES
        for day, numbers in log_files(lake, event_type).items()
        for number in gaps(numbers)
    ]
