"""How far a replay reaches: the last day of the events source, or the last one run, in the lake.

    sources/events.json    {"last_day": "2026-03-31"}

Partitions that ran on to today would show hundreds of missing days, and plots without a point.
The source is not read for this when the code location loads: that takes seconds, and it may be
gone.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.errors import LakeError, MissingFileError

if TYPE_CHECKING:
    from conversion_platform.lake import Lake

REPLAY_KEY = "sources/events.json"


def last_replay_day(lake: Lake) -> date | None:
    """Return the last day of the events source, or that was run if later; None if none was loaded.

    Raises:
        LakeError: the file is damaged.
    """
    try:
        return date.fromisoformat(json.loads(lake.storage.read(REPLAY_KEY))["last_day"])
    except MissingFileError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{lake.storage.location(REPLAY_KEY)} is damaged ({error!r}).",
            "Delete it: the next run of a day writes it again.",
        ) from error


def extend_replay(lake: Lake, day: date) -> None:
    """Let the replay reach a day: the last one that was found, or run, by now."""
    known = last_replay_day(lake)
    if known is None or known < day:
        lake.write_json(REPLAY_KEY, {"last_day": day.isoformat()})
