"""Where the trees begin: the log-odds that the residual effects give a pair, on the labels' scale.

The additive model of responses (features/effects) orders pairs well by itself. The trees are fitted
to what it leaves (XGBoost's `base_margin`), so they need not learn thousands of users and jobs from
splits. On three simulated worlds that closes .012 more of the gap than effects as inputs alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from conversion_platform.features import SLOTS
from conversion_platform.training.encoding import POSITION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]

EXPECTED = "expected_log_odds"
PARTS = (
    "user_effect", "job_effect", "job_employer_effect", "job_category_effect", "category_effect",
    "texts_effect", "distance_effect", "pay_effect", "skill_effect", "shift_effect",
    "user_pay_effect", "user_distance_effect",
)  # fmt: skip
"""The features that `expected_log_odds` is the sum of, but for the level of all pairs."""

FITTED_ROWS = 500_000
_ATTRIBUTE = "offset"


@dataclass(frozen=True)
class Offset:
    """The log-odds of a label before any tree: `intercept + slope * (expected + slot)`.

    Attributes:
        intercept: Log-odds.
        slope: What a unit of the expected log-odds of a response is worth; 0 if none is known.
        unknown: The expected log-odds of a pair where it is missing.
        slots: What each slot adds to the log-odds of a response; the last one counts for all
            later ones, and an unknown slot adds 0.
    """

    intercept: float
    slope: float = 0.0
    unknown: float = 0.0
    slots: tuple[float, ...] = (0.0,) * SLOTS

    def margins(self, matrix: Array, columns: Sequence[str]) -> Array:
        """Return the offsets of rows, float32 of shape (n,).

        Args:
            matrix: Encoded inputs, shape (n, columns).
            columns: Their names.
        """
        import numpy as np

        responses = self._responses(matrix, columns)
        margins: Array = (self.intercept + self.slope * responses).astype(np.float32)
        return margins

    def _responses(self, matrix: Array, columns: Sequence[str]) -> Array:
        """Return the expected log-odds of a response in the row's slot, shape (n,)."""
        import numpy as np

        if EXPECTED not in columns:
            return np.full(len(matrix), self.unknown)
        expected = matrix[:, columns.index(EXPECTED)].astype(np.float64)
        slots = matrix[:, columns.index(POSITION)]
        known = ~np.isnan(slots)
        effects = np.zeros(len(matrix))
        numbers = slots[known].clip(0, len(self.slots) - 1).astype(np.int64)
        effects[known] = np.asarray(self.slots)[numbers]
        return np.where(np.isnan(expected), self.unknown, expected) + effects

    def store(self, booster: Any) -> None:
        """Keep it with the trees: one file holds all that gives a score."""
        booster.set_attr(**{_ATTRIBUTE: json.dumps(asdict(self))})

    @classmethod
    def of(cls, booster: Any) -> Offset:
        """Return the offset that trees were fitted with; trees from before offsets have none."""
        stored = booster.attr(_ATTRIBUTE)
        if stored is None:
            return cls(0.0)
        found = json.loads(stored)
        return cls(**{**found, "slots": tuple(found["slots"])})


def fit_offset(
    matrix: Array, columns: Sequence[str], labels: Array, slots: tuple[float, ...]
) -> Offset:
    """Fit intercept and slope to labels between 0 and 1.

    Args:
        matrix: Encoded inputs at the logged positions, shape (n, columns).
        columns: Their names.
        labels: Shape (n,).
        slots: What each slot adds to the log-odds of a response.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    step = max(1, len(matrix) // FITTED_ROWS)
    rows, weights = matrix[::step], labels[::step].astype(np.float64)
    if EXPECTED not in columns or np.isnan(rows[:, columns.index(EXPECTED)]).all():
        return Offset(_log_odds(float(weights.mean())))
    unknown = float(np.nanmean(rows[:, columns.index(EXPECTED)], dtype=np.float64))
    responses = Offset(0.0, 1.0, unknown, slots)._responses(rows, columns)
    # A label of .3 is three tenths of a positive row and seven of a negative one.
    twice = np.concatenate([responses, responses]).reshape(-1, 1)
    classes = np.repeat([1, 0], len(rows))
    fitted = LogisticRegression(C=1e6, tol=1e-8).fit(
        twice, classes, sample_weight=np.concatenate([weights, 1 - weights])
    )
    # Finer than any use needs, coarser than the solver's tolerance.
    intercept, slope = round(float(fitted.intercept_[0]), 6), round(float(fitted.coef_[0, 0]), 6)
    if slope < 0:
        return Offset(_log_odds(float(weights.mean())))
    return Offset(intercept, slope, round(unknown, 6), slots)


def _log_odds(share: float) -> float:
    import math

    inside = min(max(share, 1e-6), 1 - 1e-6)
    return round(math.log(inside / (1 - inside)), 6)
