"""Any prediction can be computed again, to the bit, and says why."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from conversion_platform.errors import NotReadyError
from conversion_platform.features import JOB_FEATURES
from conversion_platform.inference import explain_prediction, find_prediction
from conversion_platform.lake import Session
from conversion_platform_tests.sessions import in_session
from conversion_platform_tests.tiny_platform import LIVED, lake_in, rows, settings_in


@pytest.mark.parametrize("count", [8, pytest.param(100, marks=pytest.mark.slow)])
def test_random_predictions_are_computed_again_to_the_bit(lived: Path, count: int) -> None:
    stored = rows(lived, "SELECT user_id || '/' || job_id FROM daily_predictions ORDER BY ALL")
    for (pair,) in random.Random(count).sample(stored, count):
        found = in_session(settings_in(lived), explained, pair)
        prediction = found.prediction
        assert found.differences == ()
        assert np.float32(found.score).tobytes() == np.float32(prediction.score).tobytes()
        assert (found.score, found.probability) == (prediction.score, prediction.probability)


def explained(session: Session, pair: str, day: date = LIVED):  # type: ignore[no-untyped-def]
    return explain_prediction(session, find_prediction(session, pair, day))


def test_the_effects_add_up_to_the_score_and_the_largest_comes_first(lived: Path) -> None:
    found = in_session(settings_in(lived), explained, first_pair(lived))
    effects = [abs(one.effect) for one in found.inputs]
    assert effects == sorted(effects, reverse=True) and effects[0] > 0
    log_odds = found.base + sum(one.effect for one in found.inputs)
    assert 1 / (1 + np.exp(-log_odds)) == pytest.approx(found.score, abs=1e-5)
    assert "position" not in {one.name for one in found.inputs}


def first_pair(folder: Path) -> str:
    ((pair,),) = rows(folder, "SELECT min(user_id || '/' || job_id) FROM daily_predictions")
    return str(pair)


def test_where_features_were_changed_since_it_says_what_differs(platform: Path) -> None:
    lake, pair = lake_in(platform), first_pair(platform)
    with lake.connect() as con:
        columns = [
            name
            for name, kind, *_ in con.execute(
                f"DESCRIBE FROM {lake.select(JOB_FEATURES)}"
            ).fetchall()
            if kind in ("FLOAT", "DOUBLE")
        ]
        changed = ", ".join(f'1000 * coalesce("{name}", 1) AS "{name}"' for name in columns)
        query = f"SELECT * EXCLUDE (dt) REPLACE ({changed}) FROM {lake.select(JOB_FEATURES)}"
        con.execute(f"CREATE TEMP TABLE other AS {query} WHERE dt = DATE '{LIVED}'")
        lake.write(con, JOB_FEATURES, "FROM other", LIVED)
    found = in_session(settings_in(platform), explained, pair)
    assert found.score != found.prediction.score
    assert f"{found.prediction.score!r} is stored" in found.differences[0]


def test_a_pair_without_a_prediction_is_named(lived: Path) -> None:
    with pytest.raises(NotReadyError, match=f"no prediction nobody/nothing/{LIVED}"):
        in_session(settings_in(lived), find_prediction, "nobody/nothing", LIVED)
    with pytest.raises(NotReadyError, match="2020-01-01"):
        in_session(settings_in(lived), find_prediction, "a/b", date(2020, 1, 1))
