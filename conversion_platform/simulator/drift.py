"""Applies drifts of measured strength to the world (see drift_calibration.py)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date

from conversion_platform.simulator.response import Rules
from conversion_platform.simulator.world import Drift, DriftKind, World

# The effect of each strength, in the measure of its kind.
TARGETS: dict[DriftKind, dict[str, float]] = {
    "covariate": {"weak": 0.03, "middle": 0.1, "strong": 0.25},
    "prior": {"weak": 0.08, "middle": 0.25, "strong": 0.5},
    "concept": {"weak": 0.03, "middle": 0.1, "strong": 0.25},
    "latent": {"weak": 0.03, "middle": 0.1, "strong": 0.25},
}
MEASURES: dict[DriftKind, str] = {
    "covariate": "mean PSI of the features that move",
    "prior": "relative fall of the conversion rate",
    "concept": "relative loss of the earlier champion's true MAP@10",
    "latent": "relative loss of the earlier champion's true MAP@10",
}
NO_EFFECT = 0.0


@dataclass(frozen=True)
class Effect:
    """The measured effect of one drift of a world, in the order of `World.drifts`.

    Attributes:
        kind: The drift's kind.
        parameter: Calibrated: users of the wave (covariate), fall of the base logit (prior),
            move of the weights (concept), share of users whose tastes turn (latent).
        target: The effect asked for, in the measure that `MEASURES` names.
        measured: The effect that `parameter` has in the truth.
    """

    kind: str
    parameter: float
    target: float
    measured: float


def rules_with(world: World, effects: tuple[Effect, ...], day: date, rules: Rules) -> Rules:
    """Return the weights on `day`, after all drifts that have begun."""
    for drift, effect in zip(world.drifts, effects, strict=False):
        rules = drifted_rules(rules, drift, effect.parameter * drift.progress(day))
    return rules


def drifted_rules(rules: Rules, drift: Drift, amount: float) -> Rules:
    """Return the weights under `amount` of a drift's parameter."""
    if drift.kind == "prior":
        return dataclasses.replace(rules, base=rules.base - amount)
    if drift.kind == "concept":
        return dataclasses.replace(
            rules,
            pay=rules.pay * (1 + 0.4 * amount),
            distance=rules.distance * (1 - amount),
        )
    if drift.kind == "latent":
        return dataclasses.replace(rules, turned=max(rules.turned, amount))
    return rules


def wave_between(world: World, effects: tuple[Effect, ...], number: int) -> int:
    """Return how many users of the covariate drift's waves join on day `number`.

    They join one day before their first visit, so that the drift begins on its day.
    """
    count = 0
    for drift, effect in zip(world.drifts, effects, strict=False):
        if drift.kind == "covariate":
            size = effect.parameter
            upto = drift.progress(world.day(number + 1))
            before = drift.progress(world.day(number))
            count += round(size * upto) - round(size * before)
    return count
