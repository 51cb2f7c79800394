"""Which features there are: the list that training stores in a model's card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["numeric", "categorical"]
Level = Literal["user", "job", "pair"]

_OF_PAIRS = ("user_id", "job_id", "dt", "day", "as_of")
_OF_EXAMPLES = ("shown_at", "position", "slate", "clicked", "converted", "split")
_OF_SCORES = ("score",)
RESERVED_NAMES = frozenset((*_OF_PAIRS, *_OF_EXAMPLES, *_OF_SCORES))
"""Columns that stand beside the features: in their tables, in pairs, training examples, scores."""


@dataclass(frozen=True)
class Feature:
    """One feature.

    Attributes:
        name: Column name, in the feature tables and in what `pair_query` returns.
        kind: `numeric` (FLOAT; NULL = not known) or `categorical` (VARCHAR).
        level: What it is a property of: the user, the job, or the two together.
        description: One sentence, with the unit.
    """

    name: str
    kind: Kind
    level: Level
    description: str


@dataclass(frozen=True)
class FeatureSpec:
    """The features of one installation, in a fixed order."""

    features: tuple[Feature, ...]

    def names(self, kind: Kind | None = None, level: Level | None = None) -> tuple[str, ...]:
        """Names in order, of one kind or level if given."""
        return tuple(
            feature.name
            for feature in self.features
            if kind in (None, feature.kind) and level in (None, feature.level)
        )
