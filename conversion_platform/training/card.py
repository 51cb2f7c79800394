"""The card of a model version: its contents and its training data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, TypeAdapter

from conversion_platform.days import DayRange
from conversion_platform.features import FeatureSpec


def _first_and_last(value: Any) -> Any:
    pair = isinstance(value, list) and len(value) == 2
    return {"first": value[0], "last": value[1]} if pair else value


# In JSON a range is a list of its first and last day, and the features are a list.
Days = Annotated[
    DayRange,
    BeforeValidator(_first_and_last),
    PlainSerializer(lambda days: [days.first, days.last]),
]
Features = Annotated[
    FeatureSpec,
    BeforeValidator(lambda value: {"features": value}),
    PlainSerializer(lambda spec: asdict(spec)["features"]),
]


@dataclass(frozen=True)
class SplitCard:
    """One window of the examples that the version was made from."""

    days: Days
    rows: int
    positives: int


@dataclass(frozen=True)
class ModelCard:
    """The description of a version, for readers, for scoring and for audits.

    Figures are not on it: a version may be judged again without changing its name.

    Attributes:
        version: `<day>-<10 hex digits>` of the content.
        day: The day that the training ran for: it used only data known before this day.
        spec: The features that the model reads, for `features.pair_query`.
        columns: The model's inputs in order (`position` is one of them).
        vocabularies: Known values of each categorical input, in the order of their codes.
        label: The definition of a positive: event types, window in days, attribution.
        splits: Days, rows and positives of each window.
        rounds: Number of trees.
        settings: The settings that training used.
        libraries: Versions of the libraries that computed it.
        fingerprint: SHA-256 of the numbers that the model was fitted and calibrated on.
        notes: Remarks on the figures.
        files: SHA-256 of the version's other files.
    """

    version: str
    day: date
    spec: Features
    columns: tuple[str, ...]
    vocabularies: dict[str, tuple[str, ...]]
    label: dict[str, Any]
    splits: dict[str, SplitCard]
    rounds: int
    settings: dict[str, Any]
    libraries: dict[str, str]
    fingerprint: str
    notes: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)

    @property
    def test_days(self) -> DayRange:
        """The days on which the version was evaluated."""
        return self.splits["test"].days

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = _CARD.dump_python(self, mode="json")
        return value

    @classmethod
    def from_json(cls, data: bytes) -> ModelCard:
        """Read a card from its file.

        Raises:
            ValidationError: if it is not a card.
        """
        return _CARD.validate_json(data)


_CARD = TypeAdapter(ModelCard)
