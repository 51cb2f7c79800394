"""MAP@k by hand-worked cases and against a slow reference; intervals that know their users."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion_platform.training.evaluation import (
    Evaluation,
    RankedSlates,
    ScoredExamples,
    clustered_mean,
    evaluate_ranking,
    map_at_k,
    paired_difference,
)


def slow_map(groups: list[int], scores: list[float], labels: list[bool], k: int) -> float | None:
    """MAP@k as one would write it on a blackboard."""
    values = []
    for group in sorted(set(groups)):
        rows = [i for i, g in enumerate(groups) if g == group]
        rows.sort(key=lambda i: (-scores[i], i))
        positives = sum(labels[i] for i in rows)
        if not positives:
            continue
        hits, total = 0, 0.0
        for rank, row in enumerate(rows[:k], start=1):
            if labels[row]:
                hits += 1
                total += hits / rank
        values.append(total / min(positives, k))
    return sum(values) / len(values) if values else None


def test_a_positive_in_second_place_is_worth_a_half() -> None:
    value = map_at_k(
        np.array(["a", "a", "a"]), np.array([3.0, 2.0, 1.0]), np.array([False, True, False]), 10
    )
    assert value == 0.5


def test_a_positive_below_k_is_worth_nothing() -> None:
    labels = np.array([False, False, True])
    assert map_at_k(np.zeros(3), np.array([3.0, 2.0, 1.0]), labels, 2) == 0.0


def test_slates_without_a_conversion_say_nothing_about_a_ranking() -> None:
    assert map_at_k(np.array([1, 1]), np.array([1.0, 2.0]), np.array([False, False]), 10) is None


def test_no_rows_have_no_map() -> None:
    empty = np.array([])
    assert map_at_k(empty, empty, empty, 10) is None


def test_equal_scores_are_ordered_by_the_tie_breaker_not_by_where_the_row_stands() -> None:
    groups, scores, labels = np.zeros(2), np.ones(2), np.array([False, True])
    assert map_at_k(groups, scores, labels, 10, ties=np.array([2, 1])) == 1.0
    assert map_at_k(groups, scores, labels, 10, ties=np.array([1, 2])) == 0.5


def test_a_row_without_a_score_is_ranked_last() -> None:
    labels = np.array([True, False])
    assert map_at_k(np.zeros(2), np.array([np.nan, -5.0]), labels, 10) == 0.5


rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 4), st.booleans()), min_size=1, max_size=60
)


@given(rows=rows, k=st.integers(1, 12))
def test_the_fast_map_is_the_slow_map(rows: list[tuple[int, int, bool]], k: int) -> None:
    groups, scores, labels = (list(column) for column in zip(*rows, strict=True))
    fast = map_at_k(np.array(groups), np.array(scores, float), np.array(labels), k)
    slow = slow_map(groups, [float(score) for score in scores], labels, k)
    assert fast == (slow if slow is None else pytest.approx(slow))


@given(rows=rows)
def test_the_order_of_the_rows_does_not_matter(rows: list[tuple[int, int, bool]]) -> None:
    groups, scores, labels = (np.array(column) for column in zip(*rows, strict=True))
    ties = np.arange(len(rows))
    mixed = np.random.default_rng(0).permutation(len(rows))
    straight = map_at_k(groups, scores.astype(float), labels, 5, ties)
    shuffled = map_at_k(groups[mixed], scores[mixed].astype(float), labels[mixed], 5, ties[mixed])
    assert straight == (shuffled if shuffled is None else pytest.approx(shuffled))


def test_the_interval_is_the_same_for_the_same_seed_and_contains_the_mean() -> None:
    values = np.random.default_rng(1).random(200)
    users = np.arange(200) // 4
    first, second = clustered_mean(values, users, 3), clustered_mean(values, users, 3)
    assert first == second
    assert first.low is not None and first.high is not None and first.value is not None
    assert first.low < first.value < first.high


def test_repeating_a_users_slates_does_not_narrow_the_interval() -> None:
    values = np.random.default_rng(1).random(100)
    once = clustered_mean(values, np.arange(100))
    copied = clustered_mean(np.repeat(values, 20), np.repeat(np.arange(100), 20))
    assert copied.low == pytest.approx(once.low) and copied.high == pytest.approx(once.high)


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    covered = 0
    for trial in range(100):
        users = generator.normal(0.5, 0.2, 150)
        values = np.repeat(users, 3) + generator.normal(0, 0.1, 450)
        found = clustered_mean(values, np.repeat(np.arange(150), 3), trial)
        assert found.low is not None and found.high is not None
        covered += found.low <= 0.5 <= found.high
    assert 88 <= covered <= 100


def test_the_paired_difference_of_a_ranking_with_itself_is_zero() -> None:
    generator = np.random.default_rng(2)
    groups, labels = np.arange(300) // 6, generator.random(300) < 0.2
    scores = generator.random(300)
    found = paired_difference(groups, scores, scores, labels, groups, 10)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def judged(
    positions: list[float],
    labels: list[bool],
    scores: list[float],
    probabilities: list[float] | None = None,
) -> Evaluation:
    size = len(labels)
    slates = np.arange(size) // 2
    return evaluate_ranking(
        "v",
        ScoredExamples(
            slates=slates,
            users=slates,
            ties=np.arange(size),
            labels=np.array(labels),
            positions=np.array(positions, dtype=float),
            popularity=np.zeros(size),
            scores=np.array(scores),
            probabilities=np.array(probabilities or [0.5] * size, np.float32),
        ),
        k=10,
        seed=0,
    )


def test_equal_scores_count_half_for_the_area_under_the_curve() -> None:
    found = judged([0, 1] * 2, [True, False, True, False], [0.9, 0.1, 0.5, 0.5])
    assert found.auc == pytest.approx(0.875)


def test_the_probabilities_are_judged_by_log_loss_and_brier_score() -> None:
    found = judged(
        [0, 1] * 2, [True, False, False, False], [0.9, 0.1, 0.5, 0.5], [0.8, 0.1, 0.2, 0.5]
    )
    assert found.log_loss == pytest.approx(-np.log([0.8, 0.9, 0.8, 0.5]).mean(), abs=1e-7)
    assert found.log_loss_of_base_rate == pytest.approx(-(np.log(0.25) + 3 * np.log(0.75)) / 4)
    assert found.brier == pytest.approx((0.04 + 0.01 + 0.04 + 0.25) / 4, abs=1e-7)


def test_log_losses_keep_their_digits_although_scores_are_float32() -> None:
    probabilities = np.random.default_rng(3).random(2000).astype(np.float32)
    labels = np.random.default_rng(4).random(2000) < probabilities
    found = judged([0.0] * 2000, list(labels), list(probabilities), list(probabilities))
    given = np.where(labels, probabilities, 1 - probabilities.astype(np.float64))
    assert found.log_loss == pytest.approx(-np.log(given).mean(), rel=1e-14)


def test_calibration_bins_promise_and_observe_in_order() -> None:
    probabilities = np.linspace(0.05, 0.95, 1000)
    labels = np.random.default_rng(0).random(1000) < probabilities
    bins = judged([0.0] * 1000, list(labels), [0.0] * 1000, list(probabilities)).calibration
    promised = [item.predicted for item in bins]
    assert len(bins) == 10 and promised == sorted(promised)
    assert all(abs(item.predicted - item.observed) < 0.12 for item in bins)


def test_rows_of_one_probability_share_a_calibration_bin() -> None:
    found = judged([0, 1] * 2, [True, False, True, False], [0.4, 0.3, 0.2, 0.1])
    assert [(item.predicted, item.observed) for item in found.calibration] == [(0.5, 0.5)]


def test_the_human_baseline_is_the_order_in_which_the_slate_was_shown() -> None:
    found = judged([0, 1, 1, 0], [False, True, False, True], [0.1, 0.9, 0.1, 0.9])
    assert found.map_human.value == 0.75
    assert found.map_model.value == 1.0
    assert found.gain_over_human.value == 0.25


def test_the_human_is_compared_only_where_every_position_is_known() -> None:
    found = judged([0, 1, np.nan, 0], [False, True, True, False], [0.1, 0.9, 0.1, 0.9])
    assert found.map_human.value == 0.5
    assert found.gain_over_human.value == 0.5
    assert found.map_model.value == 0.75


def test_what_cannot_be_measured_is_said_to_be_so_and_never_a_number() -> None:
    found = judged([np.nan] * 4, [False] * 4, [0.1, 0.2, 0.3, 0.4])
    assert not found.map_model.measurable
    assert not found.map_human.measurable
    assert found.auc is None and found.log_loss is None and found.brier is None
    assert str(found.map_human) == "not measurable"
    assert not found.beats_human


def test_outcomes_that_are_certain_give_the_same_precision_at_every_draw() -> None:
    groups = np.array([0, 0, 0, 1, 1])
    certain = np.array([0.0, 1.0, 0.0, 0.0, 0.0])
    found = RankedSlates.of(groups, np.array([3.0, 2.0, 1.0, 2.0, 1.0])).redrawn(certain, 10, 5, 0)
    assert found.totals.tolist() == [2.5, 0.0]
    assert found.counts.tolist() == [5, 0]
    assert groups[found.rows].tolist() == [0, 1]


def test_all_rankings_see_the_same_draws_of_the_outcomes() -> None:
    rng = np.random.default_rng(2)
    groups, probabilities = np.repeat(np.arange(300), 6), rng.random(1800) * 0.3
    best, worst = (
        RankedSlates.of(groups, scores).redrawn(probabilities, 10, 8, 1)
        for scores in (probabilities, -probabilities)
    )
    assert best.counts.tolist() == worst.counts.tolist()
    assert best.totals.sum() > worst.totals.sum()


def test_a_mean_over_redrawn_outcomes_nears_what_is_expected_of_the_first_rank() -> None:
    """With one row a slate the precision is 1 in each draw that has a positive."""
    found = RankedSlates.of(np.arange(4000), np.zeros(4000)).redrawn(np.full(4000, 0.25), 10, 8, 3)
    assert found.totals.tolist() == found.counts.tolist()
    assert found.counts.mean() / 8 == pytest.approx(0.25, abs=0.01)
