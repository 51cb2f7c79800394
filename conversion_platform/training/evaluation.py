"""Evaluates a ranking: MAP@k by slate, with intervals clustered by user.

All functions take numpy arrays, so that the simulator's truth and the logged slates are evaluated
by the same code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

REPLICATES = 1000
CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; all None if it cannot be measured."""

    value: float | None
    low: float | None
    high: float | None

    @property
    def measurable(self) -> bool:
        return self.value is not None

    def __str__(self) -> str:
        if self.value is None:
            return "not measurable"
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


NOT_MEASURABLE = Estimate(None, None, None)


@dataclass(frozen=True)
class SlatePrecision:
    """Average precision of each slate with a positive.

    Attributes:
        rows: Index of one row of the slate (to look up its user).
        precision: Average precision at k, in the order of the sorted slates.
    """

    rows: Array
    precision: Array


def slate_precision(
    groups: Array, scores: Array, labels: Array, k: int, ties: Array | None = None
) -> SlatePrecision:
    """Return the average precision at `k` of each group with at least one positive.

    The denominator is min(k, positives), so a perfect order has 1.

    Args:
        groups: Slate of each row (any sortable type), shape (n,).
        scores: Higher is ranked first, shape (n,). NaN is ranked last.
        labels: Truthy for a positive, shape (n,).
        k: Ranks that count.
        ties: Order of equal scores, lower first; usually a hash of the job. Row order if not given.
    """
    return RankedSlates.of(groups, scores, ties).precision(labels, k)


@dataclass(frozen=True)
class RankedSlates:
    """Rows in the order of a ranking; arrays of shape (n,), or (slates,).

    Attributes:
        order: Rows, slate by slate, best first.
        starts: Place in `order` at which each slate begins.
        rank: Rank in its slate of each place in `order`, 1 = first.
    """

    order: Array
    starts: Array
    rank: Array

    @classmethod
    def of(cls, groups: Array, scores: Array, ties: Array | None = None) -> RankedSlates:
        """Rank the rows of each slate; arguments as of `slate_precision`."""
        import numpy as np

        _, codes = np.unique(groups, return_inverse=True)
        ties = np.arange(len(codes)) if ties is None else ties
        order = np.lexsort((ties, -scores, codes))  # NaN sorts last
        code = codes[order]
        starts = np.flatnonzero(np.r_[True, code[1:] != code[:-1]]) if len(code) else code
        sizes = np.diff(np.r_[starts, len(code)])
        return cls(order, starts, np.arange(len(code)) - np.repeat(starts, sizes) + 1)

    def precision(self, labels: Array, k: int) -> SlatePrecision:
        """Return the average precision at `k` of each slate with a positive."""
        total, positives = self._sums(labels, k)
        kept = positives > 0
        return SlatePrecision(
            self.order[self.starts[kept]],
            total[kept] / positives[kept].clip(max=k),
        )

    def redrawn(self, probabilities: Array, k: int, draws: int, seed: int) -> RedrawnPrecision:
        """Return the average precision of each slate with outcomes drawn again and again.

        Rankings of the same rows see the same outcomes.

        Args:
            probabilities: The true probability of each row, shape (n,).
            k: Ranks that count.
            draws: How many times.
            seed: Of the draws.
        """
        import numpy as np

        totals, counts = np.zeros(len(self.starts)), np.zeros(len(self.starts))
        for draw in range(draws):
            outcomes = np.random.default_rng((seed, draw)).random(len(self.order)) < probabilities
            total, positives = self._sums(outcomes, k)
            kept = positives > 0
            totals[kept] += total[kept] / positives[kept].clip(max=k)
            counts += kept
        return RedrawnPrecision(self.order[self.starts], totals, counts)

    def _sums(self, labels: Array, k: int) -> tuple[Array, Array]:
        """Return the sum of the precisions at each slate's positives, and how many it has."""
        import numpy as np

        hit = np.asarray(labels, dtype=bool)[self.order]
        if not len(hit):
            return np.zeros(0), np.zeros(0, np.int64)
        before = (np.cumsum(hit) - hit)[self.starts]
        sizes = np.diff(np.r_[self.starts, len(hit)])
        hits = np.cumsum(hit) - np.repeat(before, sizes)
        gain = np.where(hit & (self.rank <= k), hits / self.rank, 0.0)
        positives = np.add.reduceat(hit, self.starts, dtype=np.int64)
        return np.add.reduceat(gain, self.starts), positives


@dataclass(frozen=True)
class RedrawnPrecision:
    """Average precision of slates over several draws of their outcomes; shape (slates,) each.

    Attributes:
        rows: Index of one row of the slate.
        totals: Sum over the draws in which the slate has a positive.
        counts: How many draws those are.
    """

    rows: Array
    totals: Array
    counts: Array


def map_at_k(
    groups: Array, scores: Array, labels: Array, k: int, ties: Array | None = None
) -> float | None:
    """Return the mean over slates of the average precision at `k`; None without a positive."""
    precision = slate_precision(groups, scores, labels, k, ties).precision
    return float(precision.mean()) if len(precision) else None


def clustered_mean(values: Array, clusters: Array, seed: int = 0) -> Estimate:
    """Return the mean of `values` with a bootstrap interval over clusters.

    Slates of one user are correlated, so users are drawn, not slates: an interval over slates
    would be too narrow.

    Args:
        values: One number for each slate, shape (n,).
        clusters: User of each slate, shape (n,).
        seed: Seed of the draws; the same seed gives the same interval.
    """
    import numpy as np

    return clustered_ratio(values, np.ones(len(values)), clusters, seed)


def clustered_ratio(
    numerators: Array, denominators: Array, clusters: Array, seed: int = 0
) -> Estimate:
    """Return the ratio of two sums over slates with a bootstrap interval over clusters.

    Args:
        numerators: One number for each slate, shape (n,).
        denominators: One number for each slate, shape (n,).
        clusters: User of each slate, shape (n,).
        seed: Seed of the draws; the same seed gives the same interval.
    """
    import numpy as np

    if not np.sum(denominators):
        return NOT_MEASURABLE
    _, codes = np.unique(clusters, return_inverse=True)
    above = np.bincount(codes, weights=numerators)
    below = np.bincount(codes, weights=denominators)
    generator = np.random.default_rng(seed)
    ratios = np.empty(REPLICATES)
    for replicate in range(REPLICATES):
        drawn = generator.integers(0, len(above), len(above))
        ratios[replicate] = above[drawn].sum() / below[drawn].sum()
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Estimate(float(above.sum() / below.sum()), float(low), float(high))


def paired_difference(
    groups: Array,
    scores: Array,
    baseline: Array,
    labels: Array,
    users: Array,
    k: int,
    ties: Array | None = None,
    seed: int = 0,
) -> Estimate:
    """Return MAP@k of `scores` less that of `baseline` on the same slates, clustered by user."""
    ours = slate_precision(groups, scores, labels, k, ties)
    theirs = slate_precision(groups, baseline, labels, k, ties)
    return clustered_mean(ours.precision - theirs.precision, users[ours.rows], seed)


@dataclass(frozen=True)
class CalibrationBin:
    """Rows of similar probability: its mean, and the share that converted."""

    predicted: float
    observed: float


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of a model on examples that it was not fitted on.

    Attributes:
        version: The model's version.
        k: k of MAP@k.
        rows: Number of examples.
        positives: Conversions among them.
        slates: Slates with a conversion (only these have a MAP).
        map_model: The model's order, with all rows scored at the first slot.
        map_human: The order in which the slate was shown; not measurable without positions.
        map_popularity: The order by the job's recent popularity.
        gain_over_human: Paired difference of MAP on the slates whose positions are known.
        gain_over_popularity: Paired difference of MAP to the order by popularity.
        auc: Area under the ROC curve of the scores at the first slot.
        log_loss: Log loss of the calibrated probabilities at the logged positions.
        log_loss_of_base_rate: Log loss of a constant prediction, the share of positives.
        brier: Mean squared error of the calibrated probabilities.
        calibration: Bins between the deciles of the probability; equal ones share a bin.
    """

    version: str
    k: int
    rows: int
    positives: int
    slates: int
    map_model: Estimate
    map_human: Estimate
    map_popularity: Estimate
    gain_over_human: Estimate
    gain_over_popularity: Estimate
    auc: float | None
    log_loss: float | None
    log_loss_of_base_rate: float | None
    brier: float | None
    calibration: tuple[CalibrationBin, ...]

    @property
    def beats_human(self) -> bool:
        """Whether the whole interval of the gain over the human order is above zero."""
        return self.gain_over_human.low is not None and self.gain_over_human.low > 0


@dataclass(frozen=True)
class ScoredExamples:
    """Scored test examples: the input of an evaluation; arrays of shape (n,).

    Attributes:
        slates: Slate of each row.
        users: User of each row.
        ties: Hash of each row's job.
        labels: Whether it converted.
        positions: Slot in which it was shown, NaN if unknown.
        popularity: The job's recent popularity, NaN if unknown (ranked last).
        scores: The model's raw score at the first position.
        probabilities: The calibrated probability at the logged position.
    """

    slates: Array
    users: Array
    ties: Array
    labels: Array
    positions: Array
    popularity: Array
    scores: Array
    probabilities: Array


def evaluate_ranking(version: str, scored: ScoredExamples, k: int, seed: int) -> Evaluation:
    """Evaluate one model on one set of examples."""
    labels = scored.labels.astype(bool)
    ours = slate_precision(scored.slates, scored.scores, labels, k, scored.ties)
    human, over_human = _against(scored, -scored.positions, _positions_known(scored), k, seed)
    popular, over_popular = _against(scored, scored.popularity, labels | True, k, seed)
    return Evaluation(
        version=version,
        k=k,
        rows=len(labels),
        positives=int(labels.sum()),
        slates=len(ours.precision),
        map_model=clustered_mean(ours.precision, scored.users[ours.rows], seed),
        map_human=human,
        map_popularity=popular,
        gain_over_human=over_human,
        gain_over_popularity=over_popular,
        **_figures(labels, scored.scores, scored.probabilities),
    )


def _positions_known(scored: ScoredExamples) -> Array:
    """Mark the rows of slates with all positions known: only these have a human order."""
    import numpy as np

    _, codes = np.unique(scored.slates, return_inverse=True)
    unknown = np.bincount(codes, weights=np.isnan(scored.positions)) > 0
    known: Array = ~unknown[codes]
    return known


def _against(
    scored: ScoredExamples, baseline: Array, kept: Array, k: int, seed: int
) -> tuple[Estimate, Estimate]:
    """Return the MAP of a baseline and the model's gain over it, on the rows `kept`."""
    slates, users, labels = scored.slates[kept], scored.users[kept], scored.labels[kept]
    ties, scores, theirs = scored.ties[kept], scored.scores[kept], baseline[kept]
    precision = slate_precision(slates, theirs, labels, k, ties)
    gain = paired_difference(slates, scores, theirs, labels, users, k, ties, seed)
    return clustered_mean(precision.precision, users[precision.rows], seed), gain


def _figures(labels: Array, scores: Array, probabilities: Array) -> dict[str, Any]:
    """Return AUC, log losses, Brier score and calibration; None or empty if a class is missing."""
    import numpy as np
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    if not 0 < labels.sum() < len(labels):
        unknown = dict.fromkeys(("auc", "log_loss", "log_loss_of_base_rate", "brier"))
        return {**unknown, "calibration": ()}
    given = probabilities.astype(np.float64)  # in float32 the log loss has only 8 digits
    observed, predicted = calibration_curve(
        labels, given, n_bins=CALIBRATION_BINS, strategy="quantile"
    )
    bins = zip(predicted.tolist(), observed.tolist(), strict=True)
    return {
        "auc": float(roc_auc_score(labels, scores)),
        "log_loss": float(log_loss(labels, given)),
        "log_loss_of_base_rate": float(log_loss(labels, np.full(len(labels), labels.mean()))),
        "brier": float(brier_score_loss(labels, given)),
        "calibration": tuple(CalibrationBin(*one) for one in bins),
    }
