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
    Shown,
    fit_calibration,
)


def unplaced(scores: np.ndarray, labels: np.ndarray) -> Shown:
    """Examples whose slots nobody logged."""
    return Shown(scores, labels, np.full(len(scores), np.nan))


def sample(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores that promise three times too much, and what came of them."""
    generator = np.random.default_rng(seed)
    truth = generator.beta(1, 20, rows)
    return np.clip(3 * truth, 0, 0.999).astype(np.float32), generator.random(rows) < truth


@pytest.mark.parametrize(("rows", "method"), [(4_000, "logistic"), (600_000, "isotonic")])
def test_scores_that_promise_too_much_are_brought_down_to_what_comes(
    rows: int, method: str
) -> None:
    scores, labels = sample(rows, 1)
    assert (labels.sum() >= ISOTONIC_POSITIVES) == (method == "isotonic")
    calibration = fit_calibration(unplaced(scores, labels))
    assert calibration.method == method
    fresh, outcome = sample(20_000, 2)
    assert calibration.apply(fresh).mean() == pytest.approx(outcome.mean(), rel=0.15)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), rows=st.sampled_from([50, 500, 600_000]))
def test_a_higher_score_never_has_a_lower_probability(seed: int, rows: int) -> None:
    scores, labels = sample(rows, seed)
    labels[:2] = [True, False]
    found = fit_calibration(unplaced(scores, labels)).apply(np.linspace(0, 1, 500))
    assert (np.diff(found) >= 0).all()
    assert found.dtype == np.float32 and found.min() > 0 and found.max() < 1


def test_scores_that_point_the_wrong_way_become_the_base_rate() -> None:
    scores, labels = sample(4_000, 3)
    found = fit_calibration(unplaced((1 - scores).astype(np.float32), labels)).apply(scores)
    assert np.allclose(found, labels.mean(), atol=1e-6)


def test_it_survives_json_bit_for_bit() -> None:
    scores, labels = sample(4_000, 4)
    calibration = fit_calibration(unplaced(scores, labels))
    copy = TypeAdapter(Calibration).validate_json(json.dumps(asdict(calibration)))
    assert copy == calibration
    assert (copy.apply(scores) == calibration.apply(scores)).all()


EXAMINED = np.array([1.0, 0.8, 0.6, 0.45, 0.3])


def slates(rows: int, seed: int) -> tuple[Shown, np.ndarray]:
    """Slates whose better jobs stand further up, and the true probabilities of the first slot."""
    generator = np.random.default_rng(seed)
    position = generator.integers(0, 5, rows)
    truth = 1 / (1 + np.exp(3.0 + 0.2 * position - generator.standard_normal(rows)))
    labels = generator.random(rows) < truth * EXAMINED[position]
    scores = (truth**0.8).astype(np.float32)
    return Shown(scores, labels, position.astype(np.float32)), truth


def test_probabilities_are_those_of_the_first_slot_whatever_slots_were_logged() -> None:
    shown, _ = slates(120_000, 5)
    calibration = fit_calibration(shown)
    assert calibration.examined[:5] == pytest.approx(EXAMINED, abs=0.06)
    fresh, truth = slates(60_000, 6)
    first = calibration.apply(fresh.scores).astype(float)
    assert first.sum() / truth.sum() == pytest.approx(1, abs=0.04)
    for tenth in np.array_split(np.argsort(truth), 10):
        assert first[tenth].sum() / truth[tenth].sum() == pytest.approx(1, abs=0.15)


def test_at_the_logged_slots_probabilities_are_what_came_there() -> None:
    shown, _ = slates(120_000, 7)
    found = fit_calibration(shown).apply(shown.scores, shown.positions)
    for position in range(5):
        here = shown.positions == position
        assert found[here].mean() == pytest.approx(shown.labels[here].mean(), rel=0.06)


def test_further_examples_tell_how_slots_compare_and_leave_the_level_alone() -> None:
    few, _ = slates(4_000, 8)
    many, _ = slates(200_000, 9)
    half = Shown(
        many.scores, many.labels & (np.random.default_rng(0).random(200_000) < 0.5), many.positions
    )
    calibration = fit_calibration(few, half)
    assert calibration.examined[:5] == pytest.approx(EXAMINED, abs=0.08)
    found = calibration.apply(few.scores, few.positions)
    assert found.sum() == pytest.approx(few.labels.sum(), rel=0.05)


def test_slots_beyond_the_last_one_that_is_told_apart_count_as_it() -> None:
    calibration = Calibration("logistic", (0.0, 1.0), (0.0, 1.0), (1.0, *(0.5,) * 15))
    scores = np.full(4, 0.5, np.float32)
    found = calibration.apply(scores, np.array([0, 15, 99, np.nan]))
    assert found == pytest.approx([0.5, 0.25, 0.25, 0.5])
