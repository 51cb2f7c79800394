"""What must hold of predictions before anybody is texted because of them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.inference import DAILY_PREDICTIONS, PredictionQuality, prediction_quality
from conversion_platform.lake import Session

if TYPE_CHECKING:
    from conversion_platform.settings import Settings

DAY = date(2026, 3, 8)
GOOD = (
    ("u1", "j1", 1, 0.9, 0.2, "v1"),
    ("u1", "j2", 2, 0.8, 0.1, "v1"),
    ("u2", "j1", 1, 0.5, 0, "v1"),
)


def quality_of(session: Session, *rows: tuple[object, ...]) -> PredictionQuality:
    values = ", ".join(str(row).replace("None", "NULL") for row in rows)
    session.lake.write(
        session.con,
        DAILY_PREDICTIONS,
        f"""SELECT user_id, job_id, rank, score::FLOAT AS score, probability::FLOAT AS probability,
        model_version, DATE '{DAY}' AS features_day
        FROM (VALUES {values}) AS v(user_id, job_id, rank, score, probability, model_version)""",
        DAY,
    )
    return prediction_quality(session, DayRange.of(DAY))


def test_ranked_probabilities_of_one_version_are_sound(session: Session) -> None:
    found = quality_of(session, *GOOD)
    assert found.sound
    assert (found.rows, found.days) == (3, 1)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (("u3", "j1", 1, 0.5, 1.5, "v1"), "not_probabilities"),
        (("u3", "j1", 1, 0.5, None, "v1"), "not_probabilities"),
        (("u3", "j1", 2, 0.5, 0.1, "v1"), "broken_ranks"),
        (("u2", "j2", 2, 0.7, 0.1, "v1"), "disordered"),
        (("u3", "j1", 1, 0.5, 0.1, "v2"), "mixed_days"),
    ],
)
def test_each_fault_is_counted_under_its_name(
    session: Session, row: tuple[object, ...], fault: str
) -> None:
    found = quality_of(session, *GOOD, row)
    assert not found.sound
    assert getattr(found, fault) == 1


def test_more_than_top_k_jobs_of_a_user_break_the_ranks(
    session: Session, settings: Settings
) -> None:
    most = settings.predictions.top_k
    rows = [("u1", f"j{rank}", rank, 1 - rank / 100, 0.1, "v1") for rank in range(1, most + 2)]
    assert quality_of(session, *rows).broken_ranks == 1


def test_a_day_without_predictions_counts_as_none(session: Session) -> None:
    quality_of(session, *GOOD)
    found = prediction_quality(session, DayRange(DAY, DAY + ONE_DAY))
    assert found.days == 1
