"""The ranking model: gradient boosted trees over pairs, fitted and applied reproducibly.

The bytes of a model depend on its examples and settings only: rows arrive in the order of the
table's key, the seed is set, and XGBoost's `hist` sums in a fixed order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conversion_platform.training.calibration import Calibration
from conversion_platform.training.card import ModelCard
from conversion_platform.training.encoding import Encoder
from conversion_platform.training.offset import PARTS, Offset, fit_offset

if TYPE_CHECKING:
    import pyarrow as pa
    import xgboost
    from numpy.typing import NDArray

    from conversion_platform.settings import Settings

    Array = NDArray[Any]


# Ranks the simulated market as well as 256, and is a third faster.
MAX_BIN = 64


@dataclass(frozen=True)
class Examples:
    """One window as numbers, rows in the order of the table's key.

    Attributes:
        matrix: Inputs at the logged positions, shape (n, columns).
        clicked: Shape (n,).
        converted: Shape (n,).
    """

    matrix: Array
    clicked: Array
    converted: Array


def fit_booster(
    settings: Settings,
    encoder: Encoder,
    train: Examples,
    validation: Examples | None,
    slots: tuple[float, ...],
) -> xgboost.Booster:
    """Fit the offset, and the trees to what it leaves.

    Args:
        settings: The settings in force.
        encoder: Names and codes of the inputs.
        train: Examples to fit on.
        validation: If given, fitting stops when the loss on it no longer improves.
        slots: What each slot adds to the log-odds of a response (`Offset.slots`).

    Returns:
        The trees, with their offset.
    """
    import xgboost

    wanted = settings.training
    labels = soft_labels(train, wanted.click_value)
    offset = fit_offset(train.matrix, encoder.columns, labels, slots)
    watched = []
    if validation is not None:
        watched = [(_watched(settings, encoder, offset, validation), "validation")]
    booster = xgboost.train(
        _parameters(settings),
        _quantised(settings, encoder, offset, train),
        wanted.trees,
        evals=watched,
        early_stopping_rounds=wanted.early_stopping_rounds if watched else None,
        verbose_eval=False,
    )
    kept = booster[: booster.best_iteration + 1] if watched else booster
    offset.store(kept)
    return kept


def _parameters(settings: Settings) -> dict[str, Any]:
    return {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "max_depth": settings.training.depth,
        "eta": settings.training.learning_rate,
        "max_bin": MAX_BIN,
        "min_child_weight": 10.0,
        "subsample": 0.8,
        "colsample_bytree": 0.6,
        "seed": settings.training.seed,
        "nthread": settings.platform.threads,
    }


def _quantised(settings: Settings, encoder: Encoder, offset: Offset, examples: Examples) -> Any:
    import xgboost

    return xgboost.QuantileDMatrix(
        examples.matrix, max_bin=MAX_BIN, **_described(settings, encoder, offset, examples)
    )


def _watched(settings: Settings, encoder: Encoder, offset: Offset, examples: Examples) -> Any:
    """Return the validation data, not quantised: else its evaluation takes as long as a round."""
    import xgboost

    return xgboost.DMatrix(examples.matrix, **_described(settings, encoder, offset, examples))


def _described(
    settings: Settings, encoder: Encoder, offset: Offset, examples: Examples
) -> dict[str, Any]:
    return {
        **_columns(encoder),
        "base_margin": offset.margins(examples.matrix, encoder.columns),
        "label": soft_labels(examples, settings.training.click_value),
        "nthread": settings.platform.threads,
    }


def _columns(encoder: Encoder) -> dict[str, Any]:
    """Return XGBoost's arguments that describe the columns, to fit and to explain."""
    return {
        "feature_names": list(encoder.columns),
        "feature_types": encoder.types,
        "enable_categorical": True,
    }


def soft_labels(examples: Examples, click_value: float) -> Array:
    """Return 1 for a conversion, `click_value` for a click without one, else 0; float32.

    Clicks are a weaker signal but more frequent; calibration maps the score to conversions.
    """
    import numpy as np

    clicks = np.where(examples.clicked, np.float32(click_value), np.float32(0.0))
    return np.where(examples.converted, np.float32(1.0), clicks)


class RankingModel:
    """A fitted model with its calibration and its card."""

    def __init__(
        self,
        booster: xgboost.Booster,
        calibration: Calibration,
        card: ModelCard,
        threads: int = 2,
    ) -> None:
        booster.set_param({"nthread": threads})
        self.booster = booster
        self.calibration = calibration
        self.card = card
        self.encoder = Encoder(card.columns, card.vocabularies)
        self.offset = Offset.of(booster)

    def predict(self, rows: pa.Table | pa.RecordBatch, logged_positions: bool = False) -> Array:
        """Return raw scores in (0, 1), float32 of shape (rows,); higher is better.

        Args:
            rows: Pairs with the features of `card.spec` (from `features.pair_query`).
            logged_positions: Score each row at its `position` instead of the first slot.

        Raises:
            TrainingError: a feature of the model is not among the columns.
        """
        matrix = self.encoder.matrix(rows, logged_positions)
        return score_matrix(self.booster, self.offset, self.encoder, matrix)

    def calibrate(self, scores: Array) -> Array:
        """Return probabilities of a conversion for raw scores; float32 of the same shape."""
        return self.calibration.apply(scores)

    def contributions(self, rows: pa.Table | pa.RecordBatch) -> Array:
        """Return SHAP values in log-odds, shape (rows, columns + 1); the last one is the base.

        What the offset gives to an effect is the effect's: the base is that of a pair of which
        nothing is known. A row's values sum up to the log-odds of its score.
        """
        import numpy as np
        import xgboost

        matrix = self.encoder.matrix(rows)
        margins = self.offset.margins(matrix, self.encoder.columns)
        data = xgboost.DMatrix(matrix, base_margin=margins, **_columns(self.encoder))
        values: Array = self.booster.predict(data, pred_contribs=True)
        for part in PARTS:
            if part in self.encoder.columns:
                column = self.encoder.columns.index(part)
                given = self.offset.slope * np.nan_to_num(matrix[:, column])
                values[:, column] += given
                values[:, -1] -= given
        return values


def score_matrix(
    booster: xgboost.Booster, offset: Offset, encoder: Encoder, matrix: Array
) -> Array:
    """Return raw scores of an encoded matrix, shape (rows,)."""
    scores: Array = booster.inplace_predict(
        matrix, validate_features=False, base_margin=offset.margins(matrix, encoder.columns)
    )
    return scores.reshape(len(matrix))  # XGBoost 3.4 returns shape (0, 0) for no rows
