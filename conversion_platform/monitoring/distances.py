"""How far a sample stands from its reference: the distances that Evidently's preset uses.

They are computed here, for every column, because they take milliseconds, while Evidently draws
several plots for each column it is asked about. A test holds the two against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Array = NDArray[Any]

SMALLEST_SPREAD = 0.001
DECIMALS = 9


def numeric_distance(today: Array, reference: Array) -> float:
    """Wasserstein distance in standard deviations of the reference.

    Args:
        today: Values, none missing, shape (n,) with n > 0.
        reference: Values, none missing, shape (m,) with m > 0.
    """
    import numpy as np
    from scipy.stats import wasserstein_distance

    spread = max(float(np.std(reference)), SMALLEST_SPREAD)
    return round(float(wasserstein_distance(reference, today)) / spread, DECIMALS)


def categorical_distance(today: pa.Array, reference: pa.Array) -> float:
    """Jensen-Shannon distance between the shares of each value; a missing value is a value.

    Args:
        today: Text values.
        reference: Text values.
    """
    from scipy.spatial.distance import jensenshannon

    now, then = _counts(today), _counts(reference)
    values = sorted(now.keys() | then.keys(), key=lambda value: (value is None, value))
    shares = [[counts.get(value, 0) for value in values] for counts in (then, now)]
    return round(float(jensenshannon(*shares)), DECIMALS)


def _counts(values: pa.Array) -> dict[Any, int]:
    return {item["values"]: item["counts"] for item in values.value_counts().to_pylist()}
