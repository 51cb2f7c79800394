"""A calibration never falls, survives JSON, and promises what comes."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from conversion_platform.training.calibration import (
    ISOTONIC_POSITIVES,
    Calibration,
    fit_calibration,
)


def sample(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores that promise three times too much, and what came of them."""
    generator = np.random.default_rng(seed)
    truth = generator.beta(1, 20, rows)
    return np.clip(3 * truth, 0, 0.999).astype(np.float32), generator.random(rows) < truth


@pytest.mark.parametrize(("rows", "method"), [(4_000, "platt"), (60_000, "isotonic")])
def test_scores_that_promise_too_much_are_brought_down_to_what_comes(
    rows: int, method: str
) -> None:
    scores, labels = sample(rows, 1)
    assert (labels.sum() >= ISOTONIC_POSITIVES) == (method == "isotonic")
    calibration = fit_calibration(scores, labels)
    assert calibration.method == method
    fresh, outcome = sample(20_000, 2)
    assert calibration.apply(fresh).mean() == pytest.approx(outcome.mean(), rel=0.15)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), rows=st.sampled_from([50, 500, 40_000]))
def test_a_higher_score_never_has_a_lower_probability(seed: int, rows: int) -> None:
    scores, labels = sample(rows, seed)
    labels[:2] = [True, False]
    found = fit_calibration(scores, labels).apply(np.linspace(0, 1, 500))
    assert (np.diff(found) >= 0).all()
    assert found.dtype == np.float32 and found.min() > 0 and found.max() < 1


def test_scores_that_point_the_wrong_way_become_the_base_rate() -> None:
    scores, labels = sample(4_000, 3)
    found = fit_calibration((1 - scores).astype(np.float32), labels).apply(scores)
    assert np.allclose(found, labels.mean(), atol=1e-6)


def test_it_survives_json_bit_for_bit() -> None:
    scores, labels = sample(4_000, 4)
    calibration = fit_calibration(scores, labels)
    copy = TypeAdapter(Calibration).validate_json(json.dumps(asdict(calibration)))
    assert copy == calibration
    assert (copy.apply(scores) == calibration.apply(scores)).all()
