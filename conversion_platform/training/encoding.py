"""Encodes Arrow columns as the matrix of numbers that XGBoost reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import TrainingError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Array = NDArray[Any]

POSITION = "position"


@dataclass(frozen=True)
class Encoder:
    """Names and codes of the model's inputs, in order.

    Attributes:
        columns: Feature names in the order of the matrix; `position` is one of them.
        vocabularies: Known values of each categorical column, in the order of their codes.
            Any other value is encoded as missing.
    """

    columns: tuple[str, ...]
    vocabularies: dict[str, tuple[str, ...]]

    @property
    def types(self) -> list[str]:
        """XGBoost's feature types: c for categorical, q for quantitative."""
        return ["c" if name in self.vocabularies else "q" for name in self.columns]

    def matrix(self, rows: pa.Table | pa.RecordBatch, logged_positions: bool = False) -> Array:
        """Return the matrix: float32 of shape (rows, columns), NaN for missing values.

        Args:
            rows: Columns by feature name; further columns are ignored.
            logged_positions: Take `position` from the rows (to fit and to calibrate) instead of
                scoring every row at the first slot.

        Raises:
            TrainingError: a feature is not among the columns.
        """
        import numpy as np

        self._check(rows.schema.names, logged_positions)
        matrix = np.empty((rows.num_rows, len(self.columns)), dtype=np.float32)
        for index, name in enumerate(self.columns):
            if name == POSITION and not logged_positions:
                matrix[:, index] = 0.0
            else:
                matrix[:, index] = self._numbers(name, rows.column(name))
        return matrix

    def _check(self, present: list[str], logged_positions: bool) -> None:
        needed = set(self.columns) - (set() if logged_positions else {POSITION})
        missing = sorted(needed - set(present))
        if missing:
            raise TrainingError(
                f"The rows to score lack {len(missing)} of the model's features: "
                f"{', '.join(missing[:5])}.",
                "The features have changed since the model was fitted: train a new model, or "
                "restore the missing columns.",
            )

    def _numbers(self, name: str, column: Any) -> Array:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if name in self.vocabularies:
            known = pa.array(self.vocabularies[name], pa.string())
            column = pc.index_in(column.cast(pa.string()), value_set=known)
        numbers = column.cast(pa.float32(), safe=False).to_numpy(zero_copy_only=False)
        return np.asarray(numbers, dtype=np.float32)


def fit_vocabulary(values: Iterable[tuple[str, int]], limit: int) -> tuple[str, ...]:
    """Return the `limit` most frequent values, in alphabetical order.

    Args:
        values: Pairs of value and frequency.
        limit: Maximum number of values; rarer ones are encoded as missing.
    """
    ranked = sorted(values, key=lambda pair: (-pair[1], pair[0]))
    return tuple(sorted(value for value, _ in ranked[:limit]))
