from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from conversion_platform.days import DayRange
from conversion_platform.simulator import Built, Drift, World, advance, build
from conversion_platform.simulator.drift import TARGETS
from conversion_platform.simulator.drift_calibration import (
    population_stability,
    select_users,
    stated_features,
)
from conversion_platform.simulator.truth import pairs_of
from conversion_platform.simulator.world import DriftKind, Strength
from conversion_platform.simulator.world_on_day import truth_until
from conversion_platform_tests.simulator.reading import ask, digests

DAY = date(2026, 1, 25)
STRENGTHS: tuple[Strength, ...] = ("weak", "middle", "strong")


def small(*drifts: Drift) -> World:
    return World.tiny(users=900, jobs=250, activity=0.35, drifts=drifts)


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("steady")
    build(small(), folder)
    return folder


def drifted(folder: Path, kind: DriftKind, strength: Strength = "middle") -> Built:
    return build(small(Drift(kind, DAY, strength)), folder)


def true_rate(folder: Path) -> float:
    return float(pairs_of(folder, DayRange(DAY, small().days.last)).probability.mean())


@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_recession_lowers_the_rate_and_leaves_the_ranking(
    steady: Path, tmp_path: Path, strength: Strength
) -> None:
    drifted(tmp_path, "prior", strength)
    fall = 1 - true_rate(tmp_path) / true_rate(steady)
    assert fall == pytest.approx(TARGETS["prior"][strength], rel=0.15)
    before, after = pairs_of(steady, DAY), pairs_of(tmp_path, DAY)
    np.testing.assert_allclose(
        before.learnable + before.factors + before.noise,
        after.learnable + after.factors + after.noise,
    )


@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_wave_of_users_moves_what_people_state(tmp_path: Path, strength: Strength) -> None:
    report = drifted(tmp_path, "covariate", strength)
    world = report_world(strength, "covariate")
    users = truth_until(world, report.effects, world.days.last).users
    number = world.index(DAY)
    old = stated_features(select_users(users, np.flatnonzero(users.joined_day < number - 1)))
    new = stated_features(select_users(users, np.flatnonzero(users.joined_day < number)))
    psi = np.mean([population_stability(old[name], new[name]) for name in old])
    assert psi == pytest.approx(TARGETS["covariate"][strength], rel=0.35)


def report_world(strength: Strength, kind: DriftKind) -> World:
    return small(Drift(kind, DAY, strength))


def test_days_before_a_drift_are_those_of_the_world_without_it(
    steady: Path, tmp_path: Path
) -> None:
    drifted(tmp_path, "prior", "strong")
    before, after = digests(steady / "source/events"), digests(tmp_path / "source/events")
    same = {name for name in before if before[name] == after[name]}
    assert same == {name for name in before if name < f"dt={DAY}"}


def test_a_drift_after_the_history_begins_while_advancing(steady: Path, tmp_path: Path) -> None:
    last = small().days.last
    world = small(Drift("prior", last + timedelta(days=2), "strong"))
    build(world, tmp_path)
    for step in (1, 2):
        advance(tmp_path, last + timedelta(days=step), [])
        advance(steady, last + timedelta(days=step), [])
    tomorrow, day_after = last + timedelta(days=1), last + timedelta(days=2)
    ratios = [
        pairs_of(tmp_path, day).probability.mean() / pairs_of(steady, day).probability.mean()
        for day in (tomorrow, day_after)
    ]
    assert ratios == [1.0, pytest.approx(0.5, abs=0.08)]


def test_nothing_changes_traffic_and_order_but_no_response(tmp_path: Path, steady: Path) -> None:
    report = drifted(tmp_path, "nothing")
    assert report.effects[0].measured == 0.0
    visits = dict(
        ask(
            tmp_path,
            "SELECT occurred_at::DATE, count(DISTINCT user_id) FROM events "
            "WHERE event_type = 'impression' GROUP BY ALL",
        )
    )
    half = DAY + timedelta(days=3)
    assert visits[half] == pytest.approx(visits[half - timedelta(days=1)] / 2, rel=0.2)
    ids = [row[0] for row in ask(tmp_path, "SELECT user_id FROM users")]
    usual = [row[0] for row in ask(steady, "SELECT user_id FROM users")]
    assert ids != usual and sorted(ids) == sorted(set(ids))
