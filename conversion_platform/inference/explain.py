"""Explains one prediction, and computes it again from the lake: the same bits, or what differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from conversion_platform.days import DayRange
from conversion_platform.errors import NotReadyError
from conversion_platform.features import pair_history_days, pair_query
from conversion_platform.inference.buckets import Bucket, narrowed
from conversion_platform.inference.tables import DAILY_PREDICTIONS
from conversion_platform.lake import Session, quoted
from conversion_platform.marketplace import EVENTS
from conversion_platform.training import load_model

if TYPE_CHECKING:
    import pyarrow as pa

    from conversion_platform.training import RankingModel


@dataclass(frozen=True)
class Prediction:
    """One row of `daily_predictions`; `probability` is None where the row has none."""

    user_id: str
    job_id: str
    day: date
    rank: int
    score: float
    probability: float | None
    model_version: str


@dataclass(frozen=True)
class Input:
    """One feature of a pair.

    Attributes:
        name: The feature.
        value: Its value as of the day; None if it is not known.
        effect: Its SHAP value, in log-odds of the raw score.
    """

    name: str
    value: Any
    effect: float


@dataclass(frozen=True)
class Explained:
    """A prediction with its inputs, computed again.

    Attributes:
        prediction: As it is stored.
        score: The raw score, computed now.
        probability: The calibrated probability, computed now.
        base: Log-odds of the raw score before any input, and with the first slot.
        inputs: Every feature, the one with the largest effect first.
    """

    prediction: Prediction
    score: float
    probability: float
    base: float
    inputs: tuple[Input, ...]

    @property
    def differences(self) -> tuple[str, ...]:
        """What is not equal to the bit, a sentence each."""
        stored = self.prediction
        pairs = (
            ("score", stored.score, self.score),
            ("probability", stored.probability, self.probability),
        )
        return tuple(
            f"The {name} is {now!r}, and {before!r} is stored."
            for name, before, now in pairs
            if before is not None and before != now
        )


def find_prediction(session: Session, pair: str, day: date) -> Prediction:
    """Return the stored prediction of a pair.

    Args:
        session: Settings, lake and DuckDB connection.
        pair: `USER/JOB`; ids may contain slashes themselves.
        day: The day of the prediction.

    Raises:
        NotReadyError: the day has no predictions, or none of this pair.
    """
    session.lake.require(DAILY_PREDICTIONS, [day])
    predictions = session.lake.select(DAILY_PREDICTIONS, DayRange.of(day))
    found = session.con.execute(
        "SELECT user_id, job_id, dt, rank, score, probability, model_version "
        f"FROM {predictions} WHERE user_id || '/' || job_id = $1 ORDER BY ALL",
        [pair],
    ).fetchall()
    if not found:
        raise NotReadyError(
            f"There is no prediction {pair}/{day}.",
            "Only the best `predictions.top_k` jobs of each eligible user are kept: `conversion-"
            f"platform sql \"SELECT user_id, job_id FROM daily_predictions WHERE dt = '{day}'\"`.",
        )
    return Prediction(*found[0])


def explain_prediction(session: Session, prediction: Prediction) -> Explained:
    """Read the inputs of a prediction from the lake, score them with its version, and explain it.

    Raises:
        NotReadyError: features of the day, users or jobs are missing.
        RegistryError: the version is missing or damaged.
    """
    model = load_model(session.lake, prediction.model_version, threads=1)
    row = _features(session, model, prediction)
    scores = model.predict(row)
    effects = model.contributions(row)[0]
    by_name = dict(zip(model.card.columns, effects.tolist(), strict=False))
    names = model.card.spec.names()
    inputs = [Input(name, row.column(name)[0].as_py(), by_name[name]) for name in names]
    return Explained(
        prediction,
        float(scores[0]),
        float(model.calibrate(scores)[0]),
        float(effects[-1]) + sum(by_name[name] for name in by_name if name not in names),
        tuple(sorted(inputs, key=lambda one: (-abs(one.effect), one.name))),
    )


def _features(session: Session, model: RankingModel, prediction: Prediction) -> pa.Table:
    """Return the one row of inputs, by the query that scored the day, of the user alone."""
    days = DayRange.of(prediction.day)
    pair = (
        f"(SELECT {quoted(prediction.user_id)} AS user_id, {quoted(prediction.job_id)} AS job_id, "
        f"DATE '{prediction.day.isoformat()}' AS dt)"
    )
    events = session.lake.select(EVENTS, pair_history_days(session.settings, days))
    user = Bucket(prediction.user_id, prediction.user_id)
    select = narrowed(session.lake, user, events)
    query = pair_query(session, model.card.spec, pair, days, select)
    table: pa.Table = session.con.sql(query).to_arrow_table()
    return table
