"""The format of a lake: a number that says what its files mean, and who wrote them so.

    platform/format.json    {"format": 4, "release": "0.1.0"}

The number goes up when files of an earlier release have to be read in another way, or made anew.
Lakes of commit be1d59c have no such file: they are of format 1.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from conversion_platform.errors import LakeError
from conversion_platform.lake.documents import canonical_json

if TYPE_CHECKING:
    from conversion_platform.lake.storage import Storage

FORMAT = 4
FORMAT_BEFORE_THE_FILE = 1
PLATFORM_FOLDER = "platform"
FORMAT_KEY = f"{PLATFORM_FOLDER}/format.json"


@dataclass(frozen=True)
class LakeFormat:
    """The format of a lake.

    Attributes:
        format: The number.
        release: The release of conversion-platform that wrote it; None before there was the file.
    """

    format: int
    release: str | None


def this_format() -> LakeFormat:
    """Return the format that this release writes."""
    return LakeFormat(FORMAT, version("conversion-platform"))


def lake_format(storage: Storage) -> LakeFormat | None:
    """Return the format of the lake in a storage; None where no lake was begun.

    Raises:
        LakeError: the file that holds it is damaged.
    """
    keys = storage.list(PLATFORM_FOLDER)
    if FORMAT_KEY in keys:
        return _parsed(storage)
    return LakeFormat(FORMAT_BEFORE_THE_FILE, None) if keys else None


def _parsed(storage: Storage) -> LakeFormat:
    try:
        value = json.loads(storage.read(FORMAT_KEY))
        return LakeFormat(int(value["format"]), str(value["release"]))
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{storage.location(FORMAT_KEY)} is damaged ({error!r}).",
            f'Restore it from a backup, or write {{"format": N, "release": "X"}} with the format '
            f"that the lake had; this release writes {FORMAT}.",
        ) from error


def require_format(storage: Storage) -> None:
    """Make sure that this release can work with the lake; a place without one is fine.

    Raises:
        LakeError: the lake is of an earlier or a later format.
    """
    found = lake_format(storage)
    if found is None or found.format == FORMAT:
        return
    if found.format > FORMAT:
        raise newer_format(storage.root, found)
    raise LakeError(
        f"The lake at {storage.root} has format {found.format}, from before this release, which "
        f"works with format {FORMAT}.",
        "Stop the daemon and other commands, make a backup (`conversion-platform backup FOLDER`), "
        "then run `conversion-platform migrate`: it says what it changes and what is left to do.",
    )


def newer_format(place: str, found: LakeFormat) -> LakeError:
    """Return the error for a lake that a later release wrote."""
    return LakeError(
        f"The lake at {place} has format {found.format}, written by conversion-platform "
        f"{found.release}, a later release; this one knows formats up to {FORMAT}.",
        f"Upgrade this installation to {found.release} or later. Nothing was changed.",
    )


def ensure_format(storage: Storage) -> None:
    """Make sure that this release can write to the lake; a new lake gets its format here.

    Raises:
        LakeError: as for `require_format`.
    """
    if lake_format(storage) is None:
        storage.create(FORMAT_KEY, canonical_json(asdict(this_format())))
    require_format(storage)


def set_format(storage: Storage) -> None:
    """Say that the lake has this release's format; what the migration has made true."""
    storage.replace(FORMAT_KEY, canonical_json(asdict(this_format())))
