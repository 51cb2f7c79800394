"""Calibrates the parameter of a drift so that its effect in the truth has the strength asked for.

The strength of a drift is its effect on the platform, not a weight of the response. So each drift
of a world is measured on the day before it begins, and the parameter with the effect asked for is
found by bisection.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import SettingsError
from conversion_platform.simulator import quick_model
from conversion_platform.simulator.drift import MEASURES, NO_EFFECT, TARGETS, Effect, drifted_rules
from conversion_platform.simulator.randomness import Flags, Floats, Hash, Ints, sigmoid
from conversion_platform.simulator.recruiters import examination_probability
from conversion_platform.simulator.response import Rules
from conversion_platform.simulator.state import load_world
from conversion_platform.simulator.truth import Pairs, candidates, map_of, pairs_of
from conversion_platform.simulator.user_arrays import Users, users_joining
from conversion_platform.simulator.world import Drift, World
from conversion_platform.simulator.world_on_day import rules_on, truth_until

MOST: dict[str, float] = {"prior": 4.0, "concept": 2.0, "latent": 1.0, "covariate": 0.9}
STEPS = 10
MEASURED_DAYS = 4
MEASURED_PAIRS = 60_000
DRAWS = 3
BINS = 10
WAVE_SAMPLE = 4000


def measure_effect(folder: Path, drift: Drift, day: date) -> Effect:
    """Find the parameter with which a drift has the effect of its strength.

    Args:
        folder: Folder of a world that is published up to `day`.
        drift: A drift that begins after `day`.
        day: The last published day.

    Raises:
        SettingsError: no parameter has so large an effect in this world.
        TrainingError: the history is too short for a champion (concept and latent).
    """
    if drift.kind == "nothing":
        return Effect(drift.kind, NO_EFFECT, NO_EFFECT, NO_EFFECT)
    target = TARGETS[drift.kind][drift.strength]
    effect_of = _MEASURES[drift.kind](folder, drift, day)
    amount = _bisected(effect_of, target, MOST[drift.kind], drift)
    parameter = amount
    if drift.kind == "covariate":
        parameter = float(round(amount / (1 - amount) * len(_present(folder, day))))
    return Effect(drift.kind, parameter, target, float(effect_of(amount)))


def _bisected(
    effect_of: Callable[[float], float], target: float, most: float, drift: Drift
) -> float:
    reached = effect_of(most)
    if reached < target:
        raise SettingsError(
            f"A {drift.strength} {drift.kind} drift is a {MEASURES[drift.kind]} of {target}, but "
            f"this world reaches at most {reached:.3f}.",
            "Choose a weaker drift, or a larger world.",
        )
    low, high = 0.0, most
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if effect_of(middle) < target else (low, middle)
    return high


def _conversion_fall(folder: Path, drift: Drift, day: date) -> Callable[[float], float]:
    """Return the relative fall of the conversion rate of the recruiters' slates."""
    world, effects = load_world(folder)
    rules = rules_on(world, effects, day)
    pairs = _sample(folder, world, day, rules)
    rank = _rank_in_group(pairs)
    seen = np.where(rank < world.slate, examination_probability(rank), 0.0)
    logit = pairs.learnable + pairs.factors + pairs.noise + pairs.day_part
    usual = float((seen * sigmoid(logit)).sum())

    def effect(amount: float) -> float:
        shift = drifted_rules(rules, drift, amount).base - rules.base
        return 1.0 - float((seen * sigmoid(logit + shift)).sum()) / usual

    return effect


def _champions_loss(folder: Path, drift: Drift, day: date) -> Callable[[float], float]:
    """Return the relative loss of MAP of a current model after the response has changed."""
    world, effects = load_world(folder)
    rules = rules_on(world, effects, day)
    days, share = _measured_on(folder, world, day)
    training = quick_model.training_days(world.start, day + ONE_DAY)
    champion = quick_model.fitted(quick_model.examples(folder / "source", training))
    features, _ = quick_model.pair_features(
        folder / "source", candidates(folder, days, share=share)
    )
    scores = champion.scores(features)
    usual = _mean_map(pairs_of(folder, days, share=share, rules=rules), scores, world)

    def effect(amount: float) -> float:
        changed = drifted_rules(rules, drift, amount)
        pairs = pairs_of(folder, days, share=share, rules=changed)
        return 1.0 - _mean_map(pairs, scores, world) / usual

    return effect


def _mean_map(pairs: Pairs, scores: Floats, world: World) -> float:
    """Return MAP@10 over several draws of the outcomes, to measure small losses."""
    draws = [Hash(world.seed, "calibration", draw) for draw in range(DRAWS)]
    key = (pairs.number << 32) | pairs.user
    outcomes: list[Flags] = [d.uniform(key, pairs.job) < pairs.probability for d in draws]
    return float(np.mean([map_of(pairs, scores, outcome) for outcome in outcomes]))


def _stability(folder: Path, drift: Drift, day: date) -> Callable[[float], float]:
    """Return the mean PSI of the stated facts, by the wave's share of all users."""
    world, _ = load_world(folder)
    usual = stated_features(_present(folder, day))
    number = world.index(drift.day)
    # The regular arrivals of the day come first; only the wave behind them is wanted.
    crowd = users_joining(world, number, WAVE_SAMPLE)
    wave = {name: values[crowd.wave] for name, values in stated_features(crowd).items()}
    pieces = [_shares(usual[name], wave[name]) for name in usual]

    def effect(amount: float) -> float:
        return float(np.mean([_psi(old, (1 - amount) * old + amount * new) for old, new in pieces]))

    return effect


def population_stability(reference: Floats, current: Floats) -> float:
    """Return the population stability index over the deciles (or few values) of `reference`."""
    return _psi(*_shares(reference, current))


def _psi(old: Floats, new: Floats) -> float:
    return float(((new - old) * np.log(new / old)).sum())


def _shares(reference: Floats, current: Floats) -> tuple[Floats, Floats]:
    """Return the shares of both in the bins of the reference, none of them zero."""
    inner = np.unique(np.quantile(reference, np.arange(1, BINS) / BINS))
    counts = [
        np.bincount(np.searchsorted(inner, values, "right"), minlength=len(inner) + 1) + 0.5
        for values in (reference, current)
    ]
    return counts[0] / counts[0].sum(), counts[1] / counts[1].sum()


def stated_features(users: Users) -> dict[str, Floats]:
    """Return the stated facts that the wave of a covariate drift moves."""
    return {
        "desired_pay": users.desired_pay,
        "experience_years": users.experience,
        "distance_from_centre": np.hypot(users.x, users.y),
        "shift": users.shift.astype(np.float64),
    }


def _present(folder: Path, day: date) -> Users:
    """Return the users who are present on `day`."""
    world, effects = load_world(folder)
    users, number = truth_until(world, effects, day).users, world.index(day)
    return select_users(
        users, np.flatnonzero((users.joined_day <= number) & (users.left_day > number))
    )


def select_users(users: Users, rows: Ints) -> Users:
    """Return the users of `rows`."""
    return Users(**{name: column[rows] for name, column in vars(users).items()})


def _sample(folder: Path, world: World, day: date, rules: Rules) -> Pairs:
    days, share = _measured_on(folder, world, day)
    return pairs_of(folder, days, share=share, rules=rules)


def _measured_on(folder: Path, world: World, day: date) -> tuple[DayRange, float]:
    """Return the days and the share of users to measure on."""
    first = max(world.start, day - (MEASURED_DAYS - 1) * ONE_DAY)
    one = len(pairs_of(folder, day))
    return DayRange(first, day), min(1.0, MEASURED_PAIRS / max(1, one * MEASURED_DAYS))


def _rank_in_group(pairs: Pairs) -> Ints:
    """Return the recruiter's rank (0 is best) of each pair."""
    order = np.lexsort((-pairs.human, pairs.group))
    group = pairs.group[order]
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.searchsorted(group, group, "left")
    return rank


_MEASURES = {
    "prior": _conversion_fall,
    "concept": _champions_loss,
    "latent": _champions_loss,
    "covariate": _stability,
}
