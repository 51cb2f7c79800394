"""Which lake the ledger belongs to: one that is not there must not be begun anew beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversion_platform.errors import LakeError
from conversion_platform.lake import LOG_ID_KEY, lake_id, open_lake
from conversion_platform.messaging.ledger import file_exists, ledger_path, open_ledger

if TYPE_CHECKING:
    from conversion_platform.lake import Storage
    from conversion_platform.messaging.ledger import Ledger
    from conversion_platform.settings import Settings

ANY_NEW_LAKE = "new"
"""What the ledger keeps, in place of an id, once a person said that it gets a new lake."""


def require_own_lake(settings: Settings, storage: Storage) -> None:
    """Make sure that a lake is the one that the ledger belongs to, before anything is written.

    Raises:
        LakeError: the lake, or its event log, is not there; or it is another one.
    """
    if not file_exists(ledger_path(settings)):
        return
    with open_ledger(settings) as ledger:
        wanted, filled = ledger.lake_id(), bool(ledger.counts())
    if wanted == ANY_NEW_LAKE:
        return
    place, found = storage.root, lake_id(storage)
    if wanted is None and (found or not filled or storage.list("platform")):
        return  # a ledger from before it kept the id, beside its lake; or nothing was sent yet
    if found is None:
        raise _refusal(settings, "The lake that this ledger belongs to is not there", place)
    if found != wanted:
        raise _refusal(settings, "This ledger belongs to another lake than the one", place)
    if lake_id(storage, LOG_ID_KEY) != wanted:
        place = storage.location(LOG_ID_KEY.rpartition("/")[0])
        raise _refusal(settings, "The event log that this ledger belongs to is not there", place)


def belong_to(ledger: Ledger, storage: Storage) -> None:
    """Let a ledger that belongs to no lake yet belong to this one, if it has been begun."""
    found = lake_id(storage)
    if found is not None and ledger.lake_id() in (None, ANY_NEW_LAKE):
        ledger.set_lake_id(found)


def owns_lake(settings: Settings) -> bool:
    """Return whether the ledger's own lake is there, with its event log."""
    if not file_exists(ledger_path(settings)):
        return False
    storage = open_lake(settings).storage
    with open_ledger(settings) as ledger:
        wanted = ledger.lake_id()
    return wanted is not None and wanted == lake_id(storage) == lake_id(storage, LOG_ID_KEY)


def accept_new_lake(settings: Settings) -> bool:
    """Let the ledger belong to whichever lake runs next; return False if there is no ledger."""
    if not file_exists(ledger_path(settings)):
        return False
    with open_ledger(settings) as ledger:
        ledger.set_lake_id(ANY_NEW_LAKE)
    return True


def _refusal(settings: Settings, what: str, place: str) -> LakeError:
    return LakeError(
        f"{what}: {place} (the ledger is {ledger_path(settings)}). Nothing was written.",
        "Mount its disk, or put back what was moved (platform.lake names the place); if it is "
        "lost, restore its backup. To go on with a new lake: `conversion-platform new-lake`.",
    )
