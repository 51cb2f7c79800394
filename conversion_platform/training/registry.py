"""Model versions and the champion pointer, as files that are written once.

    models/<version>/model.ubj          XGBoost's own format
    models/<version>/calibration.json   knots of the calibration
    models/<version>/card.json          written last: without it the version does not exist
    models/<version>/...                files of later stages (shap_summary.png, reference.parquet)
    models/champion/000001.json         pointers, each with the day from which it is valid

A day's champion is the pointer of the latest day up to that one (of two for a day, the higher
number): days that are run again, or late, are not scored by a model trained on later data.

The version's name contains a digest of its content: the same training gives the same version, and
writing it again repairs damaged files.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from conversion_platform.days import DayRange
from conversion_platform.errors import LakeError, RegistryError
from conversion_platform.features import attributes_of
from conversion_platform.lake import canonical_json
from conversion_platform.marketplace import AttributeKind, known_kinds
from conversion_platform.training.calibration import Calibration
from conversion_platform.training.card import ModelCard
from conversion_platform.training.ranker import RankingModel

if TYPE_CHECKING:
    from conversion_platform.lake import Lake, Session

ROOT = "models"
POINTERS = f"{ROOT}/champion"
CANDIDATES = "models/candidates"
MODEL, CALIBRATION, CARD = "model.ubj", "calibration.json", "card.json"
RETRAIN = "Train again: `conversion-platform train --day D`."


@dataclass(frozen=True)
class Promotion:
    """One pointer: `version` is the champion from `day` until the day of the next pointer."""

    number: int
    version: str
    day: date
    reason: str


def version_key(version: str, name: str) -> str:
    """Return the storage key of one of a version's files."""
    return f"{ROOT}/{version}/{name}"


def add_file(lake: Lake, version: str, name: str, data: bytes) -> None:
    """Add a file to a version; an existing file with other bytes is damaged and is replaced."""
    key = version_key(version, name)
    if not lake.storage.create(key, data) and lake.storage.read(key) != data:
        lake.storage.replace(key, data)


def add_version(lake: Lake, model: bytes, calibration: Calibration, draft: ModelCard) -> ModelCard:
    """Write a version and return its card with `version` and `files` filled in.

    Args:
        lake: The lake with `models/`.
        model: The booster's bytes.
        calibration: The calibration of its scores.
        draft: The card; its `version` and `files` are ignored.
    """
    parts = {MODEL: model, CALIBRATION: canonical_json(asdict(calibration))}
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
    """Return all complete versions, oldest day first."""
    keys = lake.storage.list(ROOT)
    found = (key.split("/") for key in keys if key.endswith(f"/{CARD}"))
    return sorted(parts[1] for parts in found if len(parts) == 3)


def load_card(lake: Lake, version: str) -> ModelCard:
    """Return the card of a version.

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
        card = ModelCard.from_json(data)
    except ValidationError as error:
        raise _damaged(lake, key, f"it is not a card ({error.errors()[0]['msg']})") from error
    if card.version != version:
        raise _damaged(lake, key, f"it is the card of {card.version}")
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


def _checked(lake: Lake, card: ModelCard, name: str) -> bytes:
    """Return a file of the version, after comparing its digest with the card."""
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
        "Train its day again (`conversion-platform train --day D`): the same input gives the same "
        "version.",
    )


def promotions(lake: Lake) -> list[Promotion]:
    """Return all pointers, oldest first.

    Raises:
        RegistryError: a pointer is damaged.
    """
    return [_pointer(lake, number) for number in _pointer_numbers(lake)]


def current_promotion(lake: Lake, day: date | None = None) -> Promotion | None:
    """Return the pointer that is valid on a day (the newest if not given); None before the first.

    Raises:
        RegistryError: the pointer that was written last is damaged.
    """
    return _valid_pointer(_usable_pointers(lake), day)


def _usable_pointers(lake: Lake) -> list[Promotion]:
    """Return all pointers that can be read; the one written last must be readable."""
    numbers = _pointer_numbers(lake)
    if not numbers:
        return []
    older = (_readable_pointer(lake, number) for number in numbers[:-1])
    return [*(pointer for pointer in older if pointer is not None), _pointer(lake, numbers[-1])]


def _valid_pointer(pointers: list[Promotion], day: date | None) -> Promotion | None:
    counting = (pointer for pointer in pointers if day is None or pointer.day <= day)
    return max(counting, key=lambda pointer: (pointer.day, pointer.number), default=None)


def champion(lake: Lake, day: date | None = None) -> str | None:
    """Return the champion of a day (the newest if not given); None if none was promoted.

    Raises:
        RegistryError: the pointer that was written last is damaged.
    """
    pointer = current_promotion(lake, day)
    return pointer.version if pointer else None


def known_attributes(session: Session, table: str) -> dict[str, AttributeKind]:
    """Return the attributes of users, or jobs, that the champion knows, with their kinds."""
    version = champion(session.lake)
    if version is None:
        return {}
    kinds = known_kinds(session, table)
    features = load_card(session.lake, version).spec.names()
    return {name: kinds[name] for name in attributes_of(features, table, kinds)}


def require_champion(lake: Lake, day: date | None = None) -> str:
    """Return the champion of a day (the newest if not given).

    Raises:
        RegistryError: if none has been promoted for it.
    """
    return _required(_usable_pointers(lake), day)


def _required(pointers: list[Promotion], day: date | None) -> str:
    current = _valid_pointer(pointers, day)
    if current is None:
        first = min((pointer.day for pointer in pointers), default=None)
        since = f" for {day}: the first one counts from {first} on" if first else " yet"
        raise RegistryError(
            f"There is no champion model{since}.",
            "Train one: `conversion-platform train --day D`, or the job `train` for that day on "
            "Dagster's pages.",
        )
    return current.version


def champions(lake: Lake, days: DayRange) -> list[tuple[str, DayRange]]:
    """Return the champions of a range of days, each with its consecutive days.

    Raises:
        RegistryError: if none has been promoted for one of the days.
    """
    pointers = _usable_pointers(lake)
    by_version = itertools.groupby(days, key=lambda day: _required(pointers, day))
    return [(version, DayRange.spanning(list(part))) for version, part in by_version]


def name_candidate(lake: Lake, day: date, version: str) -> None:
    """Store which version the training of `day` produced; a later call replaces an earlier one."""
    lake.write_json(_candidate_key(day), {"version": version})


def candidate(lake: Lake, day: date) -> str:
    """Return the version that the training of `day` produced.

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
    """Make `version` the champion by adding a pointer; earlier pointers are kept.

    Promoting the champion of `now_day` again adds nothing.

    Raises:
        RegistryError: the version is missing or damaged.
    """
    load_card(lake, version)
    while True:
        numbers = _pointer_numbers(lake)
        damaged = bool(numbers) and _readable_pointer(lake, numbers[-1]) is None
        current = None if damaged else current_promotion(lake, now_day)
        if current is not None and current.version == version:
            return current
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
            "Promote a version again: its pointer gets a higher number than the damaged one.",
        ) from error


def _readable_pointer(lake: Lake, number: int) -> Promotion | None:
    """Return the pointer, or None if it is damaged: then a new one gets a higher number."""
    try:
        return _pointer(lake, number)
    except RegistryError:
        return None
