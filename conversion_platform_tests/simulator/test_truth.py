from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from conversion_platform.days import DayRange
from conversion_platform.errors import SourceError
from conversion_platform.simulator.difficulty import ranking_table
from conversion_platform.simulator.truth import (
    candidates,
    map_of,
    pairs_of,
)
from conversion_platform_tests.simulator.conftest import TINY
from conversion_platform_tests.simulator.reading import ask

LAST = TINY.days.last
WEEK = DayRange(LAST - timedelta(days=6), LAST)


def test_candidates_are_all_open_jobs_of_the_visitors_metros(built: Path) -> None:
    table = candidates(built, LAST)
    pairs = set(zip(table["user_id"].to_pylist(), table["job_id"].to_pylist(), strict=True))
    shown = set(
        ask(
            built,
            "SELECT DISTINCT user_id, job_id FROM events WHERE event_type = 'impression' "
            f"AND occurred_at::DATE = DATE '{LAST}'",
        )
    )
    assert shown <= pairs and len(pairs) == table.num_rows
    assert {user for user, _ in shown} == {user for user, _ in pairs}


def test_what_was_done_is_what_the_truth_says_would_be_done(built: Path) -> None:
    """A user who applied to what was shown has a positive outcome; nobody else was asked."""
    table = candidates(built, WEEK)
    would = {
        (user, job, day)
        for user, job, day, yes in zip(
            *(table[name].to_pylist() for name in ("user_id", "job_id", "dt", "outcome")),
            strict=True,
        )
        if yes
    }
    clicks = ask(
        built,
        "SELECT e.user_id, e.job_id, i.occurred_at::DATE FROM events e JOIN events i "
        "USING (user_id, job_id) WHERE e.event_type = 'application' "
        f"AND i.event_type = 'impression' AND e.occurred_at::DATE > DATE '{WEEK.first}' "
        "AND e.occurred_at - i.occurred_at BETWEEN INTERVAL 0 DAY AND INTERVAL 46 MINUTE",
    )
    assert clicks and set(clicks) <= would


def test_outcomes_happen_as_often_as_their_probability(built: Path) -> None:
    table = candidates(built, TINY.days)
    p, outcome = table["p_true"].to_numpy(), table["outcome"].to_numpy()
    assert p.min() > 0 and p.max() < 1
    for low, high in ((0.0, 0.02), (0.02, 0.1), (0.1, 1.0)):
        here = (p >= low) & (p < high)
        error = np.sqrt((p[here] * (1 - p[here])).sum()) / here.sum()
        assert abs(outcome[here].mean() - p[here].mean()) < 4 * error


def test_the_more_is_known_the_better_the_ranking(built: Path) -> None:
    pairs = pairs_of(built, TINY.days)
    maps = [
        map_of(pairs, score, pairs.outcome)
        for score in (
            pairs.human,
            pairs.known,
            pairs.learnable,
            pairs.learnable + pairs.factors,
            pairs.probability,
        )
    ]
    assert maps == sorted(maps)
    assert maps[0] < 0.75 * maps[1]


def test_a_sample_of_users_has_all_their_pairs(built: Path) -> None:
    whole, half = candidates(built, LAST), candidates(built, LAST, share=0.5)
    some = half["user_id"].unique().to_pylist()
    assert 0.2 < len(some) / len(whole["user_id"].unique()) < 0.8
    assert candidates(built, LAST, users=some).equals(half)
    assert candidates(built, LAST, users=["u9999999"]).num_rows == 0


def test_an_unpublished_day_has_no_truth_yet(built: Path) -> None:
    with pytest.raises(SourceError, match="has not published 2026-01-30"):
        candidates(built, LAST + timedelta(days=1))


def test_the_ranking_table_orders_chance_human_model_and_oracle(built: Path) -> None:
    table = ranking_table(built)
    maps = {ranking.name: ranking.map_at_10 for ranking in table.rankings}
    human, oracle = maps["recruiter (human baseline)"], maps["oracle"]
    assert maps["chance"] < human < maps["quick model (both labels)"] < oracle
    assert {ranking.gap_closed for ranking in table.rankings} >= {0.0, 1.0}
    assert "| oracle |" in table.render() and "open jobs a user" in table.render()
