"""Model versions: files that are written once, each with its digest.

    models/<version>/model.ubj          XGBoost's own format
    models/<version>/calibration.json   knots of the calibration
    models/<version>/card.json          written last: without it the version does not exist
    models/<version>/<name>             files of later stages (shap_summary.png, importance.json)
    models/<version>/<name>.sha256      the digest of such a file

The version's name contains a digest of its content: the same training gives the same version, and
writing it again repairs damaged files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from conversion_platform.errors import LakeError, RegistryError
from conversion_platform.lake import canonical_json
from conversion_platform.training.calibration import Calibration
from conversion_platform.training.card import ModelCard
from conversion_platform.training.ranker import RankingModel
from conversion_platform.training.registry.documents import (
    CHANGED,
    ROOT,
    damaged,
    digest_of,
    parsed,
    sealed,
)

if TYPE_CHECKING:
    from conversion_platform.lake import Lake

MODEL, CALIBRATION, CARD = "model.ubj", "calibration.json", "card.json"
BESIDE = ".sha256"


def version_key(version: str, name: str) -> str:
    """Return the storage key of one of a version's files."""
    return f"{ROOT}/{version}/{name}"


def add_file(lake: Lake, version: str, name: str, data: bytes) -> None:
    """Add a file to a version, with its digest; one with other bytes is replaced."""
    _write(lake, version_key(version, name), data)
    _write(lake, version_key(version, f"{name}{BESIDE}"), _sha256(data).encode())


def _write(lake: Lake, key: str, data: bytes) -> None:
    if not lake.storage.create(key, data) and lake.storage.read(key) != data:
        lake.storage.replace(key, data)


def read_file(lake: Lake, version: str, name: str) -> bytes | None:
    """Return a file that a later stage added; None if it did not.

    Raises:
        RegistryError: its bytes, or those of its digest, have changed.
    """
    key = version_key(version, name)
    try:
        digest = lake.storage.read(f"{key}{BESIDE}")
    except LakeError:
        return None
    return _verified(lake, key, digest.decode("ascii", "replace"))


def add_version(lake: Lake, model: bytes, calibration: Calibration, draft: ModelCard) -> ModelCard:
    """Write a version and return its card with `version` and `files` filled in.

    Args:
        lake: The lake with `models/`.
        model: The booster's bytes.
        calibration: The calibration of its scores.
        draft: The card; its `version` and `files` are ignored.
    """
    parts = {MODEL: model, CALIBRATION: canonical_json(asdict(calibration))}
    digests = {name: _sha256(data) for name, data in parts.items()}
    unnamed = replace(draft, version="", files=digests)
    version = f"{draft.day.isoformat()}-{digest_of(unnamed.to_json())[:10]}"
    card = replace(unnamed, version=version)
    for name, data in parts.items():
        _write(lake, version_key(version, name), data)
    _write(lake, version_key(version, CARD), sealed(card.to_json()))
    return card


def versions(lake: Lake) -> list[str]:
    """Return all complete versions, oldest day first."""
    keys = lake.storage.list(ROOT)
    found = (key.split("/") for key in keys if key.endswith(f"/{CARD}"))
    return sorted(parts[1] for parts in found if len(parts) == 3)


def load_card(lake: Lake, version: str) -> ModelCard:
    """Return the card of a version.

    Raises:
        RegistryError: the version does not exist, or a byte of its card has changed.
    """
    key = version_key(version, CARD)
    try:
        data = lake.storage.read(key)
    except LakeError as error:
        raise RegistryError(
            f"There is no model version {version} ({lake.storage.location(key)} is missing).",
            f"Versions that exist: {', '.join(versions(lake)[-5:]) or 'none'}. "
            "Train again: `conversion-platform train --day D`.",
        ) from error
    try:
        card = ModelCard.from_json(canonical_json(parsed(lake, key, data)))
    except ValidationError as error:
        raise damaged(lake, key, f"it is not a card ({error.errors()[0]['msg']})") from error
    if card.version != version:
        raise damaged(lake, key, f"it is the card of {card.version}")
    return card


def load_model(lake: Lake, version: str, threads: int = 2) -> RankingModel:
    """Return the model of a version, ready to score.

    Raises:
        RegistryError: a file of the version is missing, or its bytes have changed.
    """
    import xgboost

    card = load_card(lake, version)
    model = _checked(lake, card, MODEL)
    calibration = TypeAdapter(Calibration).validate_json(_checked(lake, card, CALIBRATION))
    booster = xgboost.Booster(model_file=bytearray(model))
    return RankingModel(booster, calibration, card, threads)


def require_whole(lake: Lake, version: str) -> ModelCard:
    """Return the card of a version whose model and calibration are as they were written.

    Raises:
        RegistryError: the version is missing, or one of these files is damaged.
    """
    card = load_card(lake, version)
    for name in card.files:
        _checked(lake, card, name)
    return card


def damaged_files(lake: Lake, version: str) -> list[RegistryError]:
    """Return an error for each file of a version that is not as it was written."""
    return list(_damages(lake, version))


def _damages(lake: Lake, version: str) -> Iterator[RegistryError]:
    card = load_card(lake, version)
    names = (key.rpartition("/")[2] for key in lake.storage.list(f"{ROOT}/{version}"))
    added = (name.removesuffix(BESIDE) for name in names if name.endswith(BESIDE))
    for name in (*sorted(card.files), *added):
        try:
            if name in card.files:
                _checked(lake, card, name)
            else:
                read_file(lake, version, name)
        except RegistryError as error:
            yield error


def _checked(lake: Lake, card: ModelCard, name: str) -> bytes:
    """Return a file of the version, after comparing its digest with the card."""
    return _verified(lake, version_key(card.version, name), card.files.get(name, ""))


def _verified(lake: Lake, key: str, digest: str) -> bytes:
    try:
        data = lake.storage.read(key)
    except LakeError as error:
        raise damaged(lake, key, "it is missing") from error
    if _sha256(data) != digest:
        raise damaged(lake, key, CHANGED)
    return data


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
