"""Metrics of a ranking of people, with one list of people for each job.

The platform ranks jobs for a user; a campaign ranks users for a mailing. Many people have the same
score (no earlier redemption), so every figure is the mean over all orders of tied people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conversion_platform.training import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]

REPLICATES = 500


def expected_average_precision(labels: Array, scores: Array) -> float:
    """Return the average precision of the whole list, averaged over the orders of equal scores.

    Args:
        labels: Whether each row converted; at least one did. Shape (n,).
        scores: Higher is ranked first. Shape (n,).
    """
    import numpy as np

    _, codes = np.unique(-scores, return_inverse=True)
    rows = np.bincount(codes)
    hits = np.bincount(codes, weights=labels)
    rows_before, hits_before = np.cumsum(rows) - rows, np.cumsum(hits) - hits
    group = np.repeat(np.arange(len(rows)), rows)
    slot = np.arange(len(labels)) - rows_before[group]  # within tied people, from 0
    others = slot * (hits - 1)[group] / np.maximum(rows - 1, 1)[group]
    precision = (hits_before[group] + 1 + others) / (rows_before[group] + slot + 1)
    return float(((hits / rows)[group] * precision).sum() / hits.sum())


def area_under_curve(labels: Array, scores: Array) -> float:
    """Return the probability that a positive scores above a negative; ties count half.

    scikit-learn's function spends milliseconds on checks, and the bootstrap needs 10,000 calls.
    """
    from scipy.stats import rankdata

    positives = int(labels.sum())
    above = rankdata(scores)[labels].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(labels) - positives)))


Metric = dict[str, "Callable[[Array, Array], float]"]
METRICS: Metric = {"ap": expected_average_precision, "auc": area_under_curve}


@dataclass(frozen=True)
class Lists:
    """People in several lists, with outcomes and the two scores to compare; shape (n,) each.

    Attributes:
        lists: The list of each row.
        people: The person of each row; a person can be in several lists.
        labels: Whether the person converted.
        model: Score of the model.
        baseline: Score of the baseline.
    """

    lists: Array
    people: Array
    labels: Array
    model: Array
    baseline: Array

    def rows(self, index: Array) -> Lists:
        """Return the rows at `index`."""
        return Lists(
            self.lists[index],
            self.people[index],
            self.labels[index],
            self.model[index],
            self.baseline[index],
        )


@dataclass(frozen=True)
class Compared:
    """Two scores on the same lists: means over lists, with bootstrap intervals over people."""

    model: Estimate
    baseline: Estimate
    gain: Estimate


def by_list(found: Lists, metric: str) -> dict[Any, tuple[float, float]]:
    """Return the metric of model and baseline in each list that has both outcomes, by list."""
    import numpy as np

    figures = {}
    for name in np.unique(found.lists):
        one = found.rows(np.flatnonzero(found.lists == name))
        if 0 < one.labels.sum() < len(one.labels):
            measure = METRICS[metric]
            figures[name] = (measure(one.labels, one.model), measure(one.labels, one.baseline))
    return figures


def compared(found: Lists, metric: str, seed: int = 0) -> Compared:
    """Compare model and baseline over all lists.

    Args:
        found: The lists; at least one has both outcomes.
        metric: `ap` or `auc`.
        seed: Seed of the draws.
    """
    import numpy as np

    _, people = np.unique(found.people, return_inverse=True)
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(REPLICATES):
        picked = generator.integers(0, people.max() + 1, people.max() + 1)
        times = np.bincount(picked, minlength=people.max() + 1)[people]
        drawn.append(_means(found.rows(np.repeat(np.arange(len(people)), times)), metric))
    return Compared(*map(_estimate, _means(found, metric), np.array(drawn).T))


def _means(found: Lists, metric: str) -> tuple[float, float, float]:
    import numpy as np

    model, baseline = np.mean(list(by_list(found, metric).values()), axis=0)
    return float(model), float(baseline), float(model - baseline)


def _estimate(value: float, replicates: Array) -> Estimate:
    import numpy as np

    low, high = np.quantile(replicates, [0.025, 0.975])
    return Estimate(value, float(low), float(high))
