from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from conversion_platform.days import DayRange
from conversion_platform.errors import SettingsError
from conversion_platform.simulator import Built, Drift, World, build
from conversion_platform.simulator.drift import TARGETS
from conversion_platform.simulator.truth import map_of, pairs_of
from conversion_platform.simulator.world import DriftKind, Strength

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


@pytest.mark.parametrize(("kind", "strength"), [("concept", "middle"), ("latent", "weak")])
def test_a_drift_of_the_response_costs_the_champion_what_was_asked(
    tmp_path: Path, kind: DriftKind, strength: Strength
) -> None:
    effect = drifted(tmp_path, kind, strength).effects[0]
    assert effect.measured == pytest.approx(TARGETS[kind][strength], rel=0.25)


def test_a_concept_drift_makes_yesterdays_knowledge_wrong(steady: Path, tmp_path: Path) -> None:
    drifted(tmp_path, "concept", "strong")
    days = DayRange(DAY, small().days.last)
    before, after = pairs_of(steady, days), pairs_of(tmp_path, days)
    known = map_of(before, before.known, before.outcome)
    # The slates are the same on both sides until hires close other jobs: compare day one.
    first, moved = pairs_of(steady, DAY), pairs_of(tmp_path, DAY)
    stale = map_of(moved, first.known, moved.outcome)
    fresh = map_of(moved, moved.known, moved.outcome)
    assert stale < 0.85 * known and fresh > stale
    assert len(after) > 0


def test_a_latent_drift_moves_no_marginal_of_anything_hidden(steady: Path, tmp_path: Path) -> None:
    drifted(tmp_path, "latent", "weak")
    before, after = pairs_of(steady, DAY), pairs_of(tmp_path, DAY)
    assert np.array_equal(before.user, after.user) and np.array_equal(before.job, after.job)
    changed = np.abs(before.learnable - after.learnable) > 1e-9
    assert 0.02 < changed.mean() < 0.9
    assert after.learnable.mean() == pytest.approx(before.learnable.mean(), abs=0.06)


def test_a_drift_stronger_than_the_world_allows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="reaches at most"):
        drifted(tmp_path, "latent", "strong")
