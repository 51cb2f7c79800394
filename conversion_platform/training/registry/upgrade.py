"""Brings the registry of formats 1 to 3 to format 4; what is done already is left alone.

Until format 3 a card held its evaluation, a day's candidate was one file that was overwritten, and
only model and calibration had digests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import LakeError
from conversion_platform.training.registry.documents import (
    DIGEST,
    ROOT,
    create_document,
    digest_of,
    document_key,
    document_numbers,
    sealed,
)
from conversion_platform.training.registry.evaluations import EVALUATIONS
from conversion_platform.training.registry.pointers import CANDIDATES, POINTERS, History, Pointer
from conversion_platform.training.registry.versions import (
    BESIDE,
    CALIBRATION,
    CARD,
    MODEL,
    add_file,
    version_key,
    versions,
)

if TYPE_CHECKING:
    from conversion_platform.lake import Lake

Document = dict[str, Any]


def upgrade_registry(lake: Lake) -> Iterator[str]:
    """Move evaluations out of the cards, and give every file its digest; versions keep their names.

    Yields:
        A sentence for each file that is damaged, which stays as it is.
    """
    for version in versions(lake):
        yield from _upgrade_card(lake, version)
        _add_digests(lake, version)
    yield from _upgrade_pointers(lake)
    yield from _upgrade_candidates(lake)


def _upgrade_card(lake: Lake, version: str) -> Iterator[str]:
    key = version_key(version, CARD)
    card = _read(lake, key)
    if card is not None and DIGEST in card:
        return
    if card is None or not _is_named_by_content(card, version):
        yield (
            f"{lake.storage.location(key)} is damaged: its content is not the one that its version "
            "is named by. Using the version is an error until its day is trained again."
        )
        return
    figures = card.pop("evaluation")
    record = {
        "version": version,
        "examples_day": card["day"],
        "examples": "",
        "judged_on": card["day"],
        "figures": figures,
    }
    create_document(lake, f"{EVALUATIONS}/{version}", 1, record)
    lake.storage.replace(key, sealed(card))


def _is_named_by_content(card: Document, version: str) -> bool:
    """Whether a version's name holds the digest of its card, as formats 1 to 3 made it."""
    try:
        unnamed = {**card, "version": "", "evaluation": {**card["evaluation"], "version": ""}}
    except (KeyError, TypeError):
        return False
    return version.endswith(f"-{digest_of(unnamed)[:10]}")


def _add_digests(lake: Lake, version: str) -> None:
    """Give a version's further files (plot, drift reference) the digest of what they hold now."""
    keys = lake.storage.list(f"{ROOT}/{version}")
    for key in keys:
        name = key.rpartition("/")[2]
        own = name in (MODEL, CALIBRATION, CARD) or name.endswith(BESIDE)
        if not own and f"{key}{BESIDE}" not in keys:
            add_file(lake, version, name, lake.storage.read(key))


def _upgrade_pointers(lake: Lake) -> Iterator[str]:
    """Give each champion pointer its digest, and the version that it replaced on its day."""
    known: list[Pointer] = []
    broken: list[int] = []
    for number in document_numbers(lake, POINTERS):
        key = document_key(POINTERS, number)
        value = _read(lake, key)
        pointer = _pointer(number, value) if value is not None else None
        if pointer is None:
            broken.append(number)
            yield f"{lake.storage.location(key)} is damaged; it stays as it is."
            continue
        if value is not None and DIGEST not in value:
            holder = History(tuple(known), {}, number).valid(pointer.day)
            previous = holder.version if holder else None
            pointer = replace(pointer, previous=previous, replaces=tuple(broken))
            lake.storage.replace(key, sealed(pointer.to_json()))
        known.append(pointer)


def _upgrade_candidates(lake: Lake) -> Iterator[str]:
    """Give each day's candidate a folder, so that later ones are added and not written over it."""
    for key in lake.storage.list(CANDIDATES):
        day = key.removeprefix(f"{CANDIDATES}/").removesuffix(".json")
        if "/" in day:
            continue
        value = _read(lake, key)
        if value is None or "version" not in value:
            yield f"{lake.storage.location(key)} is damaged; train that day again."
            continue
        pointer = Pointer(
            1, str(value["version"]), date.fromisoformat(day), "The training of the day."
        )
        create_document(lake, f"{CANDIDATES}/{day}", 1, pointer.to_json())
        lake.storage.remove(key)


def _pointer(number: int, value: Document) -> Pointer | None:
    try:
        return Pointer(number, value["version"], date.fromisoformat(value["day"]), value["reason"])
    except (KeyError, TypeError, ValueError):
        return None


def _read(lake: Lake, key: str) -> Document | None:
    """Return a JSON object; None if it is damaged."""
    try:
        value = json.loads(lake.storage.read(key))
    except (ValueError, LakeError):
        return None
    return value if isinstance(value, dict) else None
