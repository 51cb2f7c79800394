"""Model versions and the champion pointer, as files that are written once.

    models/<version>/model.ubj          XGBoost's own format
    models/<version>/calibration.json   knots of the calibration
    models/<version>/card.json          written last: a version without it does not exist
    models/<version>/...                what later stages add (shap_summary.png, reference.parquet)
    models/champion/000001.json         pointers; the highest number is the champion

The version's name holds a digest of its content, so the same training gives the same version,
and writing it again repairs whatever has been damaged.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import LakeError, RegistryError
from conversion_platform.lake.lake import canonical_json
from conversion_platform.training.calibration import Calibration
from conversion_platform.training.card import ModelCard
from conversion_platform.training.ranker import RankingModel

if TYPE_CHECKING:
    from conversion_platform.lake import Lake

ROOT = "models"
POINTERS = f"{ROOT}/champion"
CANDIDATES = "models/candidates"
MODEL, CALIBRATION, CARD = "model.ubj", "calibration.json", "card.json"
RETRAIN = "Train again (`conversion-platform run`), or promote another version."


@dataclass(frozen=True)
class Promotion:
    """One pointer: from `day` on, `version` is the champion."""

    number: int
    version: str
    day: date
    reason: str


def version_key(version: str, name: str) -> str:
    """Storage key of one of a version's files."""
    return f"{ROOT}/{version}/{name}"


def add_file(lake: Lake, version: str, name: str, data: bytes) -> None:
    """Adds a file to a version; the same bytes again change nothing, a damaged file is mended."""
    key = version_key(version, name)
    if not lake.storage.create(key, data) and lake.storage.read(key) != data:
        lake.storage.replace(key, data)


def add_version(lake: Lake, model: bytes, calibration: Calibration, draft: ModelCard) -> ModelCard:
    """Writes a version and returns its card with `version` and `files` filled in.

    Args:
        lake: Where `models/` lives.
        model: The booster's bytes.
        calibration: The calibration of its scores.
        draft: The card; its `version` and `files` are ignored.
    """
    parts = {MODEL: model, CALIBRATION: canonical_json(calibration.to_json())}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    unnamed = replace(draft, version="", files=digests)
    digest = hashlib.sha256(canonical_json(unnamed.to_json())).hexdigest()
    version = f"{draft.day.isoformat()}-{digest[:10]}"
    card = replace(unnamed, version=version, evaluation=replace(draft.evaluation, version=version))
    for name, data in parts.items():
        add_file(lake, card.version, name, data)
    add_file(lake, card.version, CARD, canonical_json(card.to_json()))
    return card


def versions(lake: Lake) -> list[str]:
    """All complete versions, oldest day first."""
    keys = lake.storage.list(ROOT)
    found = (key.split("/") for key in keys if key.endswith(f"/{CARD}"))
    return sorted(parts[1] for parts in found if len(parts) == 3)


def load_card(lake: Lake, version: str) -> ModelCard:
    """The card of a version.

    Raises:
        RegistryError: the version does not exist, or its card is damaged.
    """
    key = version_key(version, CARD)
    try:
        data = lake.storage.read(key)
    except LakeError as error:
        raise RegistryError(
            f"There is no model version {version} ({lake.storage.location(key)} is missing).",
            f"Versions that exist: {', '.join(versions(lake)[-5:]) or 'none'}. {RETRAIN}",
        ) from error
    try:
        card = ModelCard.from_json(json.loads(data))
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(lake, key, f"it is not a card ({error!r})") from error
    if card.version != version:
        raise _damaged(lake, key, f"it is the card of {card.version}")
    return card


def load_model(lake: Lake, version: str, threads: int = 2) -> RankingModel:
    """The model of a version, ready to score.

    Raises:
        RegistryError: a file of the version is missing, or is not the one that was written.
    """
    import xgboost

    card = load_card(lake, version)
    model = _checked(lake, card, MODEL)
    calibration = Calibration.from_json(json.loads(_checked(lake, card, CALIBRATION)))
    booster = xgboost.Booster(model_file=bytearray(model))
    return RankingModel(booster, calibration, card, threads)


def _checked(lake: Lake, card: ModelCard, name: str) -> bytes:
    """A file of the version whose digest is the card's."""
    key = version_key(card.version, name)
    try:
        data = lake.storage.read(key)
    except LakeError as error:
        raise _damaged(lake, key, "it is missing") from error
    if hashlib.sha256(data).hexdigest() != card.files.get(name):
        raise _damaged(lake, key, "its bytes are not those that were written")
    return data


def _damaged(lake: Lake, key: str, why: str) -> RegistryError:
    return RegistryError(
        f"{lake.storage.location(key)} is damaged: {why}.",
        f"Run the training of that day again (same input gives the same version). {RETRAIN}",
    )


def promotions(lake: Lake) -> list[Promotion]:
    """All pointers, oldest first.

    Raises:
        RegistryError: a pointer is damaged.
    """
    return [_pointer(lake, number) for number in _pointer_numbers(lake)]


def champion(lake: Lake) -> str | None:
    """The version that the newest pointer names; None before the first promotion.

    Raises:
        RegistryError: that pointer is damaged.
    """
    numbers = _pointer_numbers(lake)
    return _pointer(lake, numbers[-1]).version if numbers else None


def require_champion(lake: Lake) -> str:
    """The version that scores.

    Raises:
        RegistryError: if none has been promoted yet.
    """
    version = champion(lake)
    if version is None:
        raise RegistryError(
            "There is no champion model yet.",
            "Train one: `conversion-platform run --from D --to D` does so by itself, and so does "
            "the job `train` on Dagster's pages.",
        )
    return version


def name_candidate(lake: Lake, day: date, version: str) -> None:
    """Says which version the training of `day` came to; the newest word counts."""
    lake.write_json(_candidate_key(day), {"version": version})


def candidate(lake: Lake, day: date) -> str:
    """The version that the training of `day` came to.

    Raises:
        RegistryError: if no training ran for that day.
    """
    if _candidate_key(day) not in lake.storage.list(CANDIDATES):
        raise RegistryError(
            f"No candidate was trained for {day}.", "Materialise `candidate_model` for that day."
        )
    return str(lake.read_json(_candidate_key(day))["version"])


def _candidate_key(day: date) -> str:
    return f"{CANDIDATES}/{day.isoformat()}.json"


def promote(lake: Lake, version: str, now_day: date, reason: str) -> Promotion:
    """Makes `version` the champion by adding a pointer; nothing is taken away.

    Promoting the champion again adds nothing.

    Raises:
        RegistryError: the version is missing or damaged.
    """
    load_card(lake, version)
    while True:
        numbers = _pointer_numbers(lake)
        newest = _readable_pointer(lake, numbers[-1]) if numbers else None
        if newest is not None and newest.version == version:
            return newest
        number = numbers[-1] + 1 if numbers else 1
        promotion = Promotion(number, version, now_day, reason)
        if lake.storage.create(_pointer_key(number), canonical_json(_pointer_json(promotion))):
            return promotion


def _pointer_key(number: int) -> str:
    return f"{POINTERS}/{number:06d}.json"


def _pointer_numbers(lake: Lake) -> list[int]:
    names = (key.rpartition("/")[2] for key in lake.storage.list(POINTERS))
    return sorted(int(name[:-5]) for name in names if name.endswith(".json"))


def _pointer_json(promotion: Promotion) -> dict[str, Any]:
    return {
        "version": promotion.version,
        "day": promotion.day.isoformat(),
        "reason": promotion.reason,
    }


def _pointer(lake: Lake, number: int) -> Promotion:
    key = _pointer_key(number)
    try:
        value = json.loads(lake.storage.read(key))
        return Promotion(
            number, value["version"], date.fromisoformat(value["day"]), value["reason"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryError(
            f"The champion pointer {lake.storage.location(key)} is damaged ({error!r}).",
            "Promote a version again: a new pointer goes above the damaged one.",
        ) from error


def _readable_pointer(lake: Lake, number: int) -> Promotion | None:
    """The pointer, or None if it is damaged: then a new one must go above it."""
    try:
        return _pointer(lake, number)
    except RegistryError:
        return None
