"""The card of a model version: what it is, what it was made from, how good it was."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any

from conversion_platform.days import DayRange
from conversion_platform.features import FeatureSpec
from conversion_platform.training.evaluation import Evaluation


@dataclass(frozen=True)
class SplitCard:
    """One window of the examples that the version was made from."""

    days: DayRange
    rows: int
    positives: int


@dataclass(frozen=True)
class ModelCard:
    """Everything a reader, a scorer or an auditor needs to know of a version.

    Attributes:
        version: `<day>-<10 hex digits>` of the content.
        day: The day that the training ran for; nothing later was known to it.
        spec: The features that the model reads, for `features.pair_query`.
        columns: The model's inputs in order (`position` is one of them).
        vocabularies: Known values of each categorical input, in the order of their codes.
        label: What a positive is: event types and the window in days.
        splits: Days, rows and positives of each window.
        rounds: Trees in the model.
        evaluation: Figures on the test window.
        settings: The settings that training used.
        libraries: Versions of what computed it.
        fingerprint: SHA-256 of the numbers that the model was fitted and calibrated on.
        notes: What a reader of the figures should know.
        files: SHA-256 of the version's other files.
    """

    version: str
    day: date
    spec: FeatureSpec
    columns: tuple[str, ...]
    vocabularies: dict[str, tuple[str, ...]]
    label: dict[str, Any]
    splits: dict[str, SplitCard]
    rounds: int
    evaluation: Evaluation
    settings: dict[str, Any]
    libraries: dict[str, str]
    fingerprint: str
    notes: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)

    @property
    def test_days(self) -> DayRange:
        """The days on which the version was judged."""
        return self.splits["test"].days

    def to_json(self) -> dict[str, Any]:
        value = {item.name: getattr(self, item.name) for item in fields(self)}
        value["day"] = self.day.isoformat()
        value["spec"] = self.spec.to_json()
        value["evaluation"] = self.evaluation.to_json()
        value["splits"] = {name: _split_to_json(split) for name, split in self.splits.items()}
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ModelCard:
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: if it is not a card.
        """
        known = dict(value)
        known["day"] = date.fromisoformat(value["day"])
        known["spec"] = FeatureSpec.from_json(value["spec"])
        known["columns"] = tuple(value["columns"])
        known["vocabularies"] = {
            name: tuple(values) for name, values in value["vocabularies"].items()
        }
        known["splits"] = {name: _split_from_json(item) for name, item in value["splits"].items()}
        known["evaluation"] = Evaluation.from_json(value["evaluation"])
        known["notes"] = tuple(value["notes"])
        return cls(**known)


def _split_to_json(split: SplitCard) -> dict[str, Any]:
    value = asdict(split)
    value["days"] = [split.days.first.isoformat(), split.days.last.isoformat()]
    return value


def _split_from_json(value: dict[str, Any]) -> SplitCard:
    first, last = (date.fromisoformat(day) for day in value["days"])
    return SplitCard(DayRange(first, last), value["rows"], value["positives"])
