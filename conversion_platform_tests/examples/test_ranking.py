"""Average precision with ties, and the comparison of two scores over several lists."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion_platform.examples.ranking import (
    Lists,
    by_list,
    compared,
    expected_average_precision,
)

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 2)), min_size=1, max_size=6).filter(
    lambda rows: any(label for label, _ in rows)
)


def _precision(labels: list[bool]) -> float:
    ranks = [rank for rank, label in enumerate(labels, 1) if label]
    return sum(hits / rank for hits, rank in enumerate(ranks, 1)) / len(ranks)


@given(ROWS)
def test_ties_count_as_the_mean_over_all_their_orders(rows: list[tuple[bool, int]]) -> None:
    orders = [
        _precision([label for label, _ in order])
        for order in permutations(rows)
        if [score for _, score in order] == sorted((s for _, s in rows), reverse=True)
    ]
    labels, scores = (np.array(column) for column in zip(*rows, strict=True))
    found = expected_average_precision(labels, scores.astype(float))
    assert found == pytest.approx(sum(orders) / len(orders))


def test_a_perfect_order_has_1_and_the_worst_the_least() -> None:
    labels = np.array([True, True, False, False])
    assert expected_average_precision(labels, np.array([4.0, 3.0, 2.0, 1.0])) == 1.0
    worst = expected_average_precision(labels, np.array([1.0, 2.0, 3.0, 4.0]))
    assert worst == pytest.approx((1 / 3 + 2 / 4) / 2)


def _lists(people: int = 80) -> Lists:
    """Two campaigns; the model knows more than the baseline."""
    generator = np.random.default_rng(1)
    labels = generator.random(2 * people) < 0.3
    return Lists(
        np.repeat(np.array(["a", "b"], dtype=object), people),
        np.tile(np.arange(people).astype(str).astype(object), 2),
        labels,
        labels + generator.normal(0, 0.5, 2 * people),
        generator.integers(0, 3, 2 * people),
    )


@pytest.mark.parametrize("metric", ["ap", "auc"])
def test_a_score_that_knows_more_gains_and_the_interval_says_so(metric: str) -> None:
    found = compared(_lists(), metric)
    assert found.gain.low is not None and found.gain.low > 0
    assert found.model.value is not None and found.baseline.value is not None
    assert found.gain.value == pytest.approx(found.model.value - found.baseline.value)


def test_the_same_score_twice_gains_nothing() -> None:
    lists = _lists()
    same = Lists(lists.lists, lists.people, lists.labels, lists.model, lists.model)
    gain = compared(same, "ap").gain
    assert (gain.value, gain.low, gain.high) == (0.0, 0.0, 0.0)


def test_the_mean_is_over_lists_not_over_people() -> None:
    lists = _lists()
    short = lists.rows(np.arange(100))  # 80 people of a, 20 of b
    figures = by_list(short, "auc")
    assert compared(short, "auc").model.value == pytest.approx(
        (figures["a"][0] + figures["b"][0]) / 2
    )


def test_a_list_in_which_nobody_converted_is_left_out() -> None:
    lists = _lists()
    labels = lists.labels & (lists.lists == "a")
    none = Lists(lists.lists, lists.people, labels, lists.model, lists.baseline)
    assert list(by_list(none, "ap")) == ["a"]


def test_the_same_seed_gives_the_same_interval_and_people_are_drawn_not_rows() -> None:
    lists = _lists()
    assert compared(lists, "ap", seed=3) == compared(lists, "ap", seed=3)
    alone = np.full(len(lists.people), "x", dtype=object)
    one = Lists(lists.lists, alone, lists.labels, lists.model, lists.baseline)
    gain = compared(one, "ap").gain  # one person only: every draw is the same
    assert gain.low == gain.value == gain.high


def test_the_interval_is_as_wide_as_chance_makes_it() -> None:
    generator = np.random.default_rng(3)
    rows, hits = 300, 90
    noise, other = generator.normal(size=(2, rows))
    people = np.arange(rows).astype(str).astype(object)
    lists = Lists(np.full(rows, "a", dtype=object), people, np.arange(rows) < hits, noise, other)
    auc = compared(lists, "auc").model
    assert auc.low is not None and auc.high is not None
    # Mann and Whitney's standard error of an AUC of one half.
    expected = 2 * 1.96 * np.sqrt((rows + 1) / (12 * hits * (rows - hits)))
    assert auc.high - auc.low == pytest.approx(expected, rel=0.1)
