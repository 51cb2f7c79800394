"""What must hold of a day's predictions before anybody gets a message because of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from conversion_platform.days import DayRange
from conversion_platform.features import JOB_FEATURES, USER_FEATURES
from conversion_platform.inference.tables import DAILY_PREDICTIONS
from conversion_platform.lake import Session
from conversion_platform.training import load_card


@dataclass(frozen=True)
class PredictionQuality:
    """Counts over the predictions of some days; all but `rows` and `days` should be 0.

    Attributes:
        rows: Predictions looked at.
        days: Days that have any.
        not_probabilities: Probabilities missing or outside 0 to 1.
        broken_ranks: Users and days whose ranks are not 1, 2, ... up to at most `top_k`.
        disordered: Predictions with a better score than the one ranked before them.
        mixed_days: Days that more than one model version scored.
    """

    rows: int
    days: int
    not_probabilities: int
    broken_ranks: int
    disordered: int
    mixed_days: int

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with what is there."""
        return not (
            self.not_probabilities or self.broken_ranks or self.disordered or self.mixed_days
        )


def missing_features(session: Session, days: DayRange) -> dict[date, tuple[str, ...]]:
    """Features that a day's model reads and the day does not have: it scored them as missing.

    An attribute column or a feature file that was taken away since the training leaves its days
    without the feature.
    """
    found = {}
    versions = session.con.sql(
        "SELECT dt, max(model_version) FROM "
        f"{session.lake.select(DAILY_PREDICTIONS, days)} GROUP BY dt ORDER BY dt"
    ).fetchall()
    for day, version in versions:
        there = {
            name
            for table in (USER_FEATURES, JOB_FEATURES)
            for name in session.con.sql(
                f"FROM {session.lake.select(table, DayRange.of(day))} LIMIT 0"
            ).columns
        }
        spec = load_card(session.lake, version).spec
        wanted = (*spec.names(level="user"), *spec.names(level="job"))
        missing = tuple(name for name in wanted if name not in there)
        if missing:
            found[day] = missing
    return found


def prediction_quality(session: Session, days: DayRange) -> PredictionQuality:
    """Look at all predictions of `days`."""
    session.lake.view(session.con, DAILY_PREDICTIONS, days, "checked_predictions")
    found = session.con.sql(
        f"""
        WITH ordered AS (
            SELECT *, lag(score) OVER (PARTITION BY dt, user_id ORDER BY rank) AS better
            FROM checked_predictions
        ),
        users AS (
            SELECT dt, user_id, min(rank) AS first, max(rank) AS last,
                count(DISTINCT rank) AS ranks, count(*) AS kept
            FROM checked_predictions GROUP BY dt, user_id
        ),
        versions AS (
            SELECT dt, count(DISTINCT model_version) AS versions
            FROM checked_predictions GROUP BY dt
        )
        SELECT
            (SELECT count(*) FROM ordered),
            (SELECT count(*) FROM versions),
            (SELECT count(*) FROM ordered
             WHERE probability IS NULL OR isnan(probability) OR probability NOT BETWEEN 0 AND 1),
            (SELECT count(*) FROM users WHERE first <> 1 OR last <> kept OR ranks <> kept
                OR last > {session.settings.predictions.top_k}),
            (SELECT count(*) FROM ordered WHERE score > better),
            (SELECT count(*) FROM versions WHERE versions > 1)
        """
    ).fetchall()[0]
    return PredictionQuality(*found)
