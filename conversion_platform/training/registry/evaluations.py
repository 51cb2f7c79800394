"""Evaluations of versions: records that are only added to, so that a version can be judged again.

models/evaluations/<version>/000001.json, 000002.json, ...
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from conversion_platform.training.evaluation import Estimate, Evaluation
from conversion_platform.training.registry.documents import (
    ROOT,
    create_document,
    damaged,
    document_key,
    document_numbers,
    unsealed,
)

if TYPE_CHECKING:
    from conversion_platform.lake import Lake

EVALUATIONS = f"{ROOT}/evaluations"
REMEDY = (
    "Restore it from a backup; or remove it and materialise `model_evaluation` for the day of its "
    "examples, which judges the version again."
)
_FIGURES = TypeAdapter(Evaluation)


@dataclass(frozen=True)
class EvaluationRecord:
    """One evaluation of a version.

    Attributes:
        version: The version.
        number: 1 for its first evaluation, and so on.
        examples_day: The day of the training whose test examples judged it.
        examples: A digest of these examples: two versions with the same one were judged on the
            same rows. Empty where it is not known.
        judged_on: The day on which it was judged.
        evaluation: The figures.
    """

    version: str
    number: int
    examples_day: date
    examples: str
    judged_on: date
    evaluation: Evaluation

    def to_json(self) -> dict[str, Any]:
        """Return the document, without the number, which is in the file's name."""
        return {
            "version": self.version,
            "examples_day": self.examples_day.isoformat(),
            "examples": self.examples,
            "judged_on": self.judged_on.isoformat(),
            "figures": _FIGURES.dump_python(self.evaluation, mode="json"),
        }


@dataclass(frozen=True)
class Figure:
    """One figure of an evaluation; `low` and `high` are None where it has no interval."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None


def record_evaluation(
    lake: Lake, evaluation: Evaluation, examples_day: date, examples: str, judged_on: date
) -> EvaluationRecord:
    """Add an evaluation to its version; one with the same figures on the same rows is not repeated.

    Raises:
        RegistryError: an earlier evaluation of the version is damaged.
    """
    version = evaluation.version
    while True:
        earlier = evaluations(lake, version)
        number = earlier[-1].number + 1 if earlier else 1
        record = EvaluationRecord(version, number, examples_day, examples, judged_on, evaluation)
        for one in earlier:
            if (one.examples, one.evaluation) == (examples, evaluation):
                return one
        if create_document(lake, _folder(version), number, record.to_json()):
            return record


def evaluations(lake: Lake, version: str) -> list[EvaluationRecord]:
    """Return the evaluations of a version, oldest first.

    Raises:
        RegistryError: one of them is damaged.
    """
    numbers = document_numbers(lake, _folder(version))
    return [_record(lake, version, number) for number in numbers]


def newest_evaluation(
    lake: Lake, version: str, examples_day: date | None = None
) -> EvaluationRecord | None:
    """Return the newest evaluation of a version; None if it was not judged yet.

    Args:
        lake: The lake.
        version: The version.
        examples_day: Take only evaluations on the examples of this day.

    Raises:
        RegistryError: an evaluation of the version is damaged.
    """
    found = [
        one
        for one in evaluations(lake, version)
        if examples_day is None or one.examples_day == examples_day
    ]
    return max(found, key=lambda one: (one.judged_on, one.number), default=None)


def figures(evaluation: Evaluation) -> list[Figure]:
    """Return the figures of an evaluation that are one number each, in its order."""
    return list(_figures(evaluation))


def _figures(evaluation: Evaluation) -> Iterator[Figure]:
    for field in fields(evaluation):
        value = getattr(evaluation, field.name)
        if isinstance(value, Estimate):
            yield Figure(field.name, value.value, value.low, value.high)
        elif value is None or isinstance(value, int | float):
            yield Figure(field.name, value)


def _folder(version: str) -> str:
    return f"{EVALUATIONS}/{version}"


def _record(lake: Lake, version: str, number: int) -> EvaluationRecord:
    key = document_key(_folder(version), number)
    value = unsealed(lake, key, REMEDY)
    try:
        record = EvaluationRecord(
            value["version"],
            number,
            date.fromisoformat(value["examples_day"]),
            value["examples"],
            date.fromisoformat(value["judged_on"]),
            _FIGURES.validate_python(value["figures"]),
        )
    except (KeyError, TypeError, ValidationError, ValueError) as error:
        raise damaged(lake, key, f"it is no evaluation ({error!r})", REMEDY) from error
    if record.version != version:
        raise damaged(lake, key, f"it is an evaluation of {record.version}", REMEDY)
    return record
