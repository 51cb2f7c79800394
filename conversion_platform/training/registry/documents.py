"""JSON documents that hold their own digest, and numbered ones that are only added to."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import LakeError, RegistryError
from conversion_platform.lake import canonical_json

if TYPE_CHECKING:
    from conversion_platform.lake import Lake

ROOT = "models"
DIGEST = "sha256"
CHANGED = "its bytes are not those that were written"
RETRAIN = (
    "Train its day again (`conversion-platform train --day D`): the same input gives the same "
    "version."
)


def digest_of(value: dict[str, Any]) -> str:
    """Return the SHA-256 of a document's canonical bytes."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def sealed(value: dict[str, Any]) -> bytes:
    """Return a document's bytes with its digest in them."""
    return canonical_json({**value, DIGEST: digest_of(value)})


def unsealed(lake: Lake, key: str, remedy: str = RETRAIN) -> dict[str, Any]:
    """Read a document, without its digest.

    Raises:
        RegistryError: it is missing, or a byte of it has changed.
    """
    try:
        data = lake.storage.read(key)
    except LakeError as error:
        raise damaged(lake, key, "it is missing", remedy) from error
    return parsed(lake, key, data, remedy)


def parsed(lake: Lake, key: str, data: bytes, remedy: str = RETRAIN) -> dict[str, Any]:
    """Return the document in `data`, the bytes of `key`, without its digest.

    Raises:
        RegistryError: a byte of it has changed.
    """
    try:
        value = json.loads(data)
        kept = {name: part for name, part in value.items() if name != DIGEST}
    except (ValueError, AttributeError) as error:
        raise damaged(lake, key, f"it is no JSON object ({error})", remedy) from error
    if sealed(kept) != data:
        raise damaged(lake, key, CHANGED, remedy)
    return kept


def damaged(lake: Lake, key: str, why: str, remedy: str = RETRAIN) -> RegistryError:
    """Return the error for a file of the registry that is not as it was written."""
    return RegistryError(f"{lake.storage.location(key)} is damaged: {why}.", remedy)


def document_key(folder: str, number: int) -> str:
    """Return the key of a numbered document."""
    return f"{folder}/{number:06d}.json"


def document_numbers(lake: Lake, folder: str) -> list[int]:
    """Return the numbers of a folder's documents, in order."""
    names = (key.removeprefix(f"{folder}/") for key in lake.storage.list(folder))
    return sorted(int(name[:-5]) for name in names if name[:-5].isdigit() and name[-5:] == ".json")


def create_document(lake: Lake, folder: str, number: int, value: dict[str, Any]) -> bool:
    """Write a numbered document if its number is free; False if another process took it."""
    return lake.storage.create(document_key(folder, number), sealed(value))
