"""Maps raw scores to probabilities: a monotone map, stored as a few numbers in JSON.

Many positives allow an isotonic map, which fits any shape. With few it would fit noise, so a line
through the log-odds (Platt) is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ISOTONIC_POSITIVES = 1000
EDGE = 1e-6
LIMIT = 13.8  # log-odds of EDGE: no probability is 0 or 1, not even rounded to float32


@dataclass(frozen=True)
class Calibration:
    """A monotone map from score to probability: straight lines between knots.

    Attributes:
        method: 'isotonic' or 'platt' (knots are in log-odds of the score).
        scores: Knots in ascending order; log-odds.
        probabilities: Log-odds of the probability at each knot, in ascending order.
    """

    method: str
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def apply(self, scores: Array) -> Array:
        """Return calibrated probabilities of raw scores in (0, 1); float32, same shape."""
        import numpy as np

        at = _log_odds(scores)
        if self.method == "platt":
            low, high = self.scores
            slope = (self.probabilities[1] - self.probabilities[0]) / (high - low)
            value = self.probabilities[0] + slope * (at - low)
        else:
            value = np.interp(at, self.scores, self.probabilities)
        inside = np.clip(value, -LIMIT, LIMIT)
        return (1.0 / (1.0 + np.exp(-inside))).astype(np.float32)


def fit_calibration(scores: Array, labels: Array) -> Calibration:
    """Fit the map from `scores` to the observed rates of `labels`.

    Args:
        scores: Raw scores in (0, 1), shape (n,).
        labels: Truthy for a conversion, shape (n,); both classes must be present.
    """
    if int(labels.sum()) >= ISOTONIC_POSITIVES:
        return _isotonic(scores, labels)
    return _platt(scores, labels)


def _isotonic(scores: Array, labels: Array) -> Calibration:
    import numpy as np
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression().fit(_log_odds(scores), labels.astype(np.float64))
    # A step without positives would predict 0: it is counted as half a positive instead.
    floor = 0.5 / len(labels)
    heights = np.clip(fitted.y_thresholds_, floor, 1.0 - floor)
    return Calibration("isotonic", _rounded(fitted.X_thresholds_), _rounded(_log_odds(heights)))


def _platt(scores: Array, labels: Array) -> Calibration:
    """Fit a logistic regression of the label on the log-odds; a negative slope becomes 0."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    at = _log_odds(scores)
    fitted = LogisticRegression(C=1e6, tol=1e-8).fit(at.reshape(-1, 1), labels.astype(int))
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if slope < 0:
        slope, intercept = 0.0, float(_log_odds(np.asarray([labels.mean()]))[0])
    return Calibration("platt", (0.0, 1.0), _rounded(np.asarray([intercept, intercept + slope])))


def _log_odds(values: Array) -> Array:
    import numpy as np

    inside = np.clip(np.asarray(values, dtype=np.float64), EDGE, 1.0 - EDGE)
    return np.log(inside) - np.log1p(-inside)


def _rounded(values: Array) -> tuple[float, ...]:
    """Round to nine decimals: finer than any use needs, coarser than the solver's tolerance."""
    return tuple(round(float(value), 9) for value in values)
