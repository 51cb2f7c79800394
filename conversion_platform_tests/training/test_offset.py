from __future__ import annotations

import numpy as np
import pytest
import xgboost

from conversion_platform.training.offset import Offset, fit_offset

COLUMNS = ("expected_log_odds", "user_effect", "position")
SLOTS = (0.5, 0.0, -0.25, *(-1.0,) * 13)


def rows(*values: tuple[float, float]) -> np.ndarray:
    """Rows of expected log-odds and slot."""
    return np.array([(expected, 0.0, slot) for expected, slot in values], np.float32)


def test_an_offset_is_linear_in_what_is_expected_and_in_the_effect_of_the_slot() -> None:
    offset = Offset(-1.0, 2.0, -3.0, SLOTS)
    found = offset.margins(rows((1.0, 0), (1.0, 2), (1.0, 40), (0.0, 1)), COLUMNS)
    assert found.tolist() == [2.0, 0.5, -1.0, -1.0]
    assert found.dtype == np.float32


def test_an_unknown_expectation_is_the_mean_and_an_unknown_slot_adds_nothing() -> None:
    offset = Offset(0.0, 1.0, -3.0, SLOTS)
    found = offset.margins(rows((np.nan, 0), (1.0, np.nan)), COLUMNS)
    assert found.tolist() == [-2.5, 1.0]


def test_a_fitted_offset_finds_the_scale_of_the_labels() -> None:
    rng = np.random.default_rng(1)
    expected = rng.normal(-2, 1, 40_000)
    slot = rng.integers(0, 3, 40_000)
    truth = -0.7 + 0.8 * (expected + np.array(SLOTS)[slot])
    labels = (rng.random(40_000) < 1 / (1 + np.exp(-truth))).astype(np.float32)
    matrix = np.column_stack([expected, np.zeros(40_000), slot]).astype(np.float32)
    offset = fit_offset(matrix, COLUMNS, labels, SLOTS)
    assert offset.slope == pytest.approx(0.8, abs=0.05)
    assert offset.intercept == pytest.approx(-0.7, abs=0.1)


@pytest.mark.parametrize("columns", [COLUMNS, ("a", "b", "position")])
def test_without_expectations_every_row_begins_at_the_mean_label(columns: tuple[str, ...]) -> None:
    matrix = np.full((1000, 3), np.nan, np.float32)
    labels = np.r_[np.ones(100), np.full(100, 0.5), np.zeros(800)].astype(np.float32)
    offset = fit_offset(matrix, columns, labels, SLOTS)
    assert offset.margins(matrix[:2], columns) == pytest.approx(np.log(0.15 / 0.85), abs=1e-5)


def test_an_expectation_that_points_the_wrong_way_is_left_out() -> None:
    expected = np.linspace(-3, 3, 1000)
    matrix = np.column_stack([expected, expected, np.zeros(1000)]).astype(np.float32)
    offset = fit_offset(matrix, COLUMNS, (expected < 0).astype(np.float32), SLOTS)
    assert offset.slope == 0


def test_an_offset_is_kept_with_the_trees_to_the_bit() -> None:
    booster = xgboost.train({}, xgboost.DMatrix(np.zeros((4, 1)), label=np.arange(4)), 1)
    offset = Offset(-1.234567, 0.1 + 0.2, 1 / 3, SLOTS)
    offset.store(booster)
    again = xgboost.Booster(model_file=bytearray(booster.save_raw("ubj")))
    assert Offset.of(again) == offset
