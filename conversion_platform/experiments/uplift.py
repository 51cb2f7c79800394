"""The difference of two conversion rates, with an interval.

Newcombe's hybrid score interval for the difference between independent proportions
(R. G. Newcombe, "Interval estimation for the difference between independent proportions:
comparison of eleven methods", Statistics in Medicine 17 (1998), method 10). It stays inside
[-1, 1] and keeps its coverage with few or no conversions, where the normal approximation has an
interval of width 0.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence limits, in the units of the estimate."""

    estimate: float
    low: float
    high: float


def uplift_interval(
    conversions_treatment: int,
    size_treatment: int,
    conversions_holdout: int,
    size_holdout: int,
    confidence: float = 0.95,
) -> Interval | None:
    """Return the conversion rate of the treatment arm minus that of the holdout, with an interval.

    Every trial must be independent: count each user once.

    Args:
        conversions_treatment: Users of the treatment arm who converted.
        size_treatment: Users of the treatment arm.
        conversions_holdout: Users of the holdout who converted.
        size_holdout: Users of the holdout.
        confidence: Coverage of the interval.

    Returns:
        The uplift in points of conversion rate (-1 to 1), or None if an arm is empty.

    Raises:
        ValueError: if there are more conversions than users, or fewer than none.
    """
    for conversions, size in (
        (conversions_treatment, size_treatment),
        (conversions_holdout, size_holdout),
    ):
        if not 0 <= conversions <= size:
            raise ValueError(f"{conversions} conversions do not fit into {size} users")
    if not size_treatment or not size_holdout:
        return None
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(
        conversions_treatment,
        size_treatment,
        conversions_holdout,
        size_holdout,
        method="newcomb",
        compare="diff",
        alpha=1 - confidence,
    )
    estimate = conversions_treatment / size_treatment - conversions_holdout / size_holdout
    # At the limits rounding can exceed them by an ulp.
    return Interval(
        estimate, max(-1.0, min(float(low), estimate)), min(1.0, max(float(high), estimate))
    )
