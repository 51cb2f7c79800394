"""The identity of a lake and of its event log: an id that is drawn once and never changes.

    platform/lake.json     {"lake_id": "..."}
    event_log/lake.json    the same: the log is told from the lake around it

A folder that is empty, because its disk is not mounted, is not a new lake: who belongs to a lake
(the ledger) keeps the id and asks for it.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from conversion_platform.errors import LakeError, MissingFileError
from conversion_platform.lake.documents import canonical_json

if TYPE_CHECKING:
    from conversion_platform.lake.storage import Storage

LAKE_ID_KEY = "platform/lake.json"
LOG_ID_KEY = "event_log/lake.json"


def lake_id(storage: Storage, key: str = LAKE_ID_KEY) -> str | None:
    """Return the id that a lake was given, or None where there is no lake yet.

    Args:
        storage: Where the lake is.
        key: `LAKE_ID_KEY`, or `LOG_ID_KEY` for what the event log says.

    Raises:
        LakeError: the file with the id is damaged.
    """
    try:
        return str(json.loads(storage.read(key))["lake_id"])
    except MissingFileError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{storage.location(key)} is damaged ({error!r}).",
            f"Restore it from a backup: it is the same as {LAKE_ID_KEY} and {LOG_ID_KEY} of the "
            "same lake, and the ledger has the id too.",
        ) from error


def ensure_lake_id(storage: Storage) -> str:
    """Return the id of a lake and of its log, which a new one gets here."""
    found = lake_id(storage)
    if found is None:
        storage.create(LAKE_ID_KEY, canonical_json({"lake_id": uuid.uuid4().hex}))
        found = lake_id(storage)
    assert found is not None
    if lake_id(storage, LOG_ID_KEY) is None:
        storage.create(LOG_ID_KEY, canonical_json({"lake_id": found}))
    return found
