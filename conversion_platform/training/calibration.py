"""Maps raw scores to probabilities of the first slot: what is served is shown there.

A logged label is that of a slot: a job further down converts less because fewer people look at it.
So the map from score to probability is fitted together with how often each slot is examined, by
expectation maximisation (position-based model: Craswell et al., *An experimental comparison of
click position-bias models*, 2008; Wang et al., *Position bias estimation for unbiased learning to
rank*, 2018). Fitted on logged slots alone, probabilities of the first slot came out 11 % too high.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conversion_platform.features import SLOTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

# A map of steps with fewer positives promises 0 at its lower end: there, logistic.
ISOTONIC_POSITIVES = 20_000
WEAK_PENALTY = 1e6
BEND = 0.02
KNOTS, BEYOND = 65, 3.0
EDGE = 1e-6
LIMIT = 13.8  # log-odds of EDGE: no probability is 0 or 1, not even rounded to float32
ROUNDS = 4
PRIOR_POSITIVES = 10.0
LEAST_EXAMINED, MOST_EXAMINED = 0.05, 2.0
SAME_EVERYWHERE = (1.0,) * SLOTS


@dataclass(frozen=True)
class Shown:
    """Examples as a calibration sees them; arrays of shape (n,).

    Attributes:
        scores: Raw scores at the first slot, in (0, 1).
        labels: Whether a conversion followed.
        positions: The slot in which it was shown, 0 = first; NaN if unknown.
    """

    scores: Array
    labels: Array
    positions: Array


@dataclass(frozen=True)
class Calibration:
    """A monotone map from score to probability: straight lines between knots.

    Attributes:
        method: 'isotonic' or 'logistic'.
        scores: Knots in ascending order; log-odds.
        probabilities: Log-odds of the probability at each knot, in ascending order.
        examined: How much of the first slot's probability each slot has; the last one counts for
            all later ones, and an unknown slot has all of it.
    """

    method: str
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    examined: tuple[float, ...] = SAME_EVERYWHERE

    def apply(self, scores: Array, positions: Array | None = None) -> Array:
        """Return the probabilities of scores at the first slot; float32, same shape.

        Args:
            scores: Raw scores at the first slot, in (0, 1).
            positions: Where the probability of another slot is wanted.
        """
        import numpy as np

        value = np.interp(_log_odds(scores), self.scores, self.probabilities)
        first = 1.0 / (1.0 + np.exp(-np.clip(value, -LIMIT, LIMIT)))
        if positions is not None:
            first = (first * _share_examined(positions, self.examined)).clip(EDGE, 1 - EDGE)
        return first.astype(np.float32)


def fit_calibration(shown: Shown, fitted_on: Shown | None = None) -> Calibration:
    """Fit the map from scores to rates of conversions, and how often each slot is examined.

    Args:
        shown: Examples that the scores were not fitted on; both classes must be present.
        fitted_on: Further examples that tell how slots compare, which takes more conversions than
            a level does.
    """
    import numpy as np

    calibration = _fitted(shown, SAME_EVERYWHERE, np.ones(len(shown.labels)))
    slots = [shown] if fitted_on is None else [shown, fitted_on]
    for _ in range(ROUNDS):
        examined = _examined(calibration, slots)
        expected = calibration.apply(shown.scores)
        calibration = _fitted(shown, examined, _looked_at(shown, examined, expected))
    return calibration


def _examined(calibration: Calibration, parts: list[Shown]) -> tuple[float, ...]:
    """Return what each slot has of the conversions that the first one would have had."""
    import numpy as np

    observed, expected = np.zeros(SLOTS), np.zeros(SLOTS)
    for part in parts:
        known = ~np.isnan(part.positions)
        slots = _slots(part.positions[known])
        first = calibration.apply(part.scores[known]).astype(np.float64)
        observed += np.bincount(slots, part.labels[known].astype(np.float64), SLOTS)
        expected += np.bincount(slots, first, SLOTS)
    if observed[0] < PRIOR_POSITIVES:
        return SAME_EVERYWHERE
    # Slots that nothing is known of are like the first.
    shares = (observed + PRIOR_POSITIVES) / (expected * observed[0] / expected[0] + PRIOR_POSITIVES)
    return (1.0, *_rounded(shares[1:].clip(LEAST_EXAMINED, MOST_EXAMINED)))


def _looked_at(shown: Shown, examined: tuple[float, ...], expected: Array) -> Array:
    """Return how likely each row was looked at: surely if it converted, else by Bayes' rule."""
    import numpy as np

    share = _share_examined(shown.positions, examined).clip(max=1.0)
    ignored = share * (1.0 - expected) / (1.0 - share * expected)
    looked: Array = np.where(shown.labels.astype(bool), 1.0, ignored)
    return looked


def _share_examined(positions: Array, examined: tuple[float, ...]) -> Array:
    import numpy as np

    shares = np.ones(len(positions))
    known = ~np.isnan(positions)
    shares[known] = np.asarray(examined)[_slots(positions[known])]
    return shares


def _slots(positions: Array) -> Array:
    import numpy as np

    slots: Array = positions.clip(0, SLOTS - 1).astype(np.int64)
    return slots


def _fitted(shown: Shown, examined: tuple[float, ...], weights: Array) -> Calibration:
    if int(shown.labels.sum()) >= ISOTONIC_POSITIVES:
        return _isotonic(shown, examined, weights)
    return _logistic(shown, examined, weights)


def _isotonic(shown: Shown, examined: tuple[float, ...], weights: Array) -> Calibration:
    import numpy as np
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression().fit(
        _log_odds(shown.scores), shown.labels.astype(np.float64), sample_weight=weights
    )
    # A step without positives would predict 0: it is counted as half a positive instead.
    floor = 0.5 / len(shown.labels)
    heights = np.clip(fitted.y_thresholds_, floor, 1.0 - floor)
    knots = _rounded(fitted.X_thresholds_)
    return Calibration("isotonic", knots, _rounded(_log_odds(heights)), examined)


def _logistic(shown: Shown, examined: tuple[float, ...], weights: Array) -> Calibration:
    """Fit the log-odds of the label as a curve of the log-odds of the score that never falls.

    A line underrates the lowest tenth by a quarter: scores are of clicks and conversions together,
    and the less likely a conversion is, the more clicks there are to one. The curve is a parabola,
    whose bend is held near 0: what is served scores lower than most of what was shown.
    """
    import numpy as np

    at, labels = _log_odds(shown.scores), shown.labels.astype(int)
    slope = _regressed(at[:, None], labels, weights).coef_[0, 0]
    if slope < 0 or at.min() == at.max():
        rate = np.asarray([np.average(labels, weights=weights)])
        return Calibration("logistic", (0.0,), _rounded(_log_odds(rate)), examined)
    middle = float(at.mean())
    fitted = _regressed(_parabola(at, middle), labels, weights)
    knots = np.linspace(at.min() - BEYOND, at.max() + BEYOND, KNOTS)
    heights = _never_falling(knots, fitted.decision_function(_parabola(knots, middle)))
    return Calibration("logistic", _rounded(knots), _rounded(heights), examined)


def _regressed(inputs: Array, labels: Array, weights: Array) -> Any:
    from sklearn.linear_model import LogisticRegression

    # Newton's method: the other solvers stop early where columns differ this much in size.
    model = LogisticRegression(C=WEAK_PENALTY, tol=1e-8, solver="newton-cholesky")
    return model.fit(inputs, labels, sample_weight=weights)


def _parabola(values: Array, middle: float) -> Array:
    """Return the inputs of a parabola; the penalty holds its bend near 0, as if of sd BEND."""
    import numpy as np

    away = values - middle
    return np.column_stack([away, BEND / WEAK_PENALTY**0.5 * away**2])


def _never_falling(knots: Array, heights: Array) -> Array:
    from sklearn.isotonic import IsotonicRegression

    rising: Array = IsotonicRegression().fit_transform(knots, heights)
    return rising


def _log_odds(values: Array) -> Array:
    import numpy as np

    inside = np.clip(np.asarray(values, dtype=np.float64), EDGE, 1.0 - EDGE)
    return np.log(inside) - np.log1p(-inside)


def _rounded(values: Array) -> tuple[float, ...]:
    """Round to nine decimals: finer than any use needs, coarser than the solver's tolerance."""
    return tuple(round(float(value), 9) for value in values)
