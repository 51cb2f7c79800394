from __future__ import annotations

from datetime import date

import pytest

from conversion_platform.errors import SettingsError
from conversion_platform.simulator import Drift, World


def test_a_world_survives_the_way_through_json() -> None:
    world = World.tiny(drifts=(Drift("latent", date(2026, 1, 20), "weak", 5),))
    assert World.from_json(world.to_json()) == world


@pytest.mark.parametrize(
    "changes",
    [
        {"users": 1},
        {"metros": 99},
        {"activity": 0.0},
        {"history_days": 0},
        {"drifts": (Drift("prior", date(2026, 1, 5)),)},
        {"drifts": (Drift("prior", date(2026, 2, 5)), Drift("prior", date(2026, 1, 25)))},
    ],
)
def test_an_impossible_world_is_refused_with_what_is_allowed(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="Allowed"):
        World.tiny(**changes)


def test_an_unknown_drift_is_refused() -> None:
    with pytest.raises(SettingsError, match="covariate"):
        Drift("sideways", date(2026, 2, 1))  # type: ignore[arg-type]


def test_a_slow_drift_grows_day_by_day() -> None:
    drift = Drift("prior", date(2026, 2, 1), over_days=4)
    steps = [drift.progress(date(2026, 2, day)) for day in range(1, 6)]
    assert steps == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert drift.progress(date(2026, 1, 31)) == 0.0
