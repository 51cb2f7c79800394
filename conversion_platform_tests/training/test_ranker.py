"""What the trees are fitted to."""

from __future__ import annotations

import numpy as np

from conversion_platform.settings import Settings
from conversion_platform.settings.sections import TrainingSection
from conversion_platform.training.encoding import Encoder, fit_vocabulary
from conversion_platform.training.offset import Offset
from conversion_platform.training.ranker import Examples, fit_booster, score_matrix, soft_labels

NO_SLOTS = (0.0,) * 16


def examples(rows: int = 2000) -> Examples:
    """Clicks follow the first column, conversions are a tenth of the clicks."""
    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(rows, 2)).astype(np.float32)
    clicked = generator.random(rows) < 1 / (1 + np.exp(-2 * matrix[:, 0]))
    return Examples(matrix, clicked, clicked & (generator.random(rows) < 0.1))


def test_a_click_is_worth_a_part_of_a_conversion_and_a_conversion_is_worth_one() -> None:
    found = soft_labels(
        Examples(np.zeros((3, 1)), np.array([0, 1, 1], bool), np.array([0, 0, 1], bool)), 0.25
    )
    assert found.tolist() == [0.0, 0.25, 1.0]
    assert found.dtype == np.float32


def test_clicks_teach_a_model_that_has_too_few_conversions_to_learn_from() -> None:
    given = examples()
    order = given.matrix[:, 0]
    agreement = {}
    for value in (0.0, 0.5):
        chosen = Settings(training=TrainingSection(click_value=value, trees=40))
        encoder = Encoder(("a", "b"), {})
        booster = fit_booster(chosen, encoder, given, None, NO_SLOTS)
        scores = score_matrix(booster, Offset.of(booster), encoder, given.matrix)
        agreement[value] = np.corrcoef(scores, order)[0, 1]
    assert agreement[0.5] > agreement[0.0] + 0.02


def test_the_trees_stop_when_they_no_longer_help_on_other_examples() -> None:
    chosen = Settings(training=TrainingSection(trees=400, early_stopping_rounds=5))
    booster = fit_booster(chosen, Encoder(("a", "b"), {}), examples(), examples(500), NO_SLOTS)
    assert 0 < booster.num_boosted_rounds() < 400


def test_the_most_frequent_values_make_the_vocabulary_and_ties_go_by_name() -> None:
    counts = [("d", 1), ("a", 5), ("c", 2), ("b", 2), ("e", 1)]
    assert fit_vocabulary(counts, 2) == ("a", "b")
    assert fit_vocabulary(counts, 9) == ("a", "b", "c", "d", "e")
