"""Distances of a sample from its reference, as in Evidently's preset.

They are computed here, for every column, because this takes milliseconds, while Evidently draws
several plots for each column. A test compares the two.
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
    """Return the Wasserstein distance in standard deviations of the reference.

    Args:
        today: Values, none missing, shape (n,) with n > 0.
        reference: Values, none missing, shape (m,) with m > 0.
    """
    import numpy as np
    from scipy.stats import wasserstein_distance

    # Squares of float32 overflow from 1e19 on (amounts in wei): the spread was infinite.
    then, now = reference.astype(np.float64), today.astype(np.float64)
    spread = max(float(np.std(then)), SMALLEST_SPREAD)
    return round(float(wasserstein_distance(then, now)) / spread, DECIMALS)


def categorical_distance(today: pa.Array, reference: pa.Array) -> float:
    """Return the Jensen-Shannon distance of the shares of the values; missing counts as a value.

    Args:
        today: Values as text.
        reference: Values as text.
    """
    from scipy.spatial.distance import jensenshannon

    now, then = _counts(today), _counts(reference)
    values = sorted(now.keys() | then.keys(), key=lambda value: (value is None, value))
    shares = [[counts.get(value, 0) for value in values] for counts in (then, now)]
    return round(float(jensenshannon(*shares)), DECIMALS)


def _counts(values: pa.Array) -> dict[Any, int]:
    return {item["values"]: item["counts"] for item in values.value_counts().to_pylist()}
