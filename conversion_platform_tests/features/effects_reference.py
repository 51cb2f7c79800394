"""The residual effects by their definition, one day, factor and row at a time."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

Key = tuple[str, ...]
ORDER = (
    "all", "slot", "texts", "distance", "pay", "skill", "shift", "category", "employer",
    "user_category", "user", "job", "user_pay", "user_distance",
)  # fmt: skip
KILOMETRES = (0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90, 150)
RATIOS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.3, 1.5, 2, 3)


def band(value: float | None, limits: tuple[float, ...]) -> Key | None:
    if value is None:
        return None
    return (str(sum(value >= limit for limit in limits)),)


@dataclass
class Showing:
    """One pair on one day: the level of each factor, whether it was shown and responded to.

    Factors that are slopes have a measure, which their effect is multiplied by.
    """

    levels: dict[str, Key | None]
    measures: dict[str, float]
    shown: bool
    responded: bool


@dataclass
class ReferenceEffects:
    """The state of the additive model."""

    effects: dict[str, dict[Key, float]] = field(default_factory=lambda: defaultdict(dict))
    information: dict[str, dict[Key, float]] = field(default_factory=lambda: defaultdict(dict))
    priors: dict[str, float] = field(default_factory=lambda: dict.fromkeys(ORDER, 4.0))

    def effect(self, factor: str, level: Key | None) -> float:
        return 0.0 if level is None else self.effects[factor].get(level, 0.0)

    def total(self, showing: Showing) -> float:
        return sum(
            self.effect(factor, showing.levels[factor]) * showing.measures.get(factor, 1.0)
            for factor in ORDER
        )

    def advance(self, showings: list[Showing]) -> None:
        for factor, known in self.information.items():
            for level in known:
                known[level] *= 0.5 ** (1 / (7 if factor == "all" else 180))
        begun = bool(self.information["all"])
        if not begun and not any(one.shown for one in showings):
            return
        if showings and not begun:
            responses = sum(one.responded for one in showings) + 0.5
            others = max(sum(one.shown for one in showings) - responses, 0.0) + 0.5
            self.effects["all"][("0",)] = math.log(responses / others)
        for factor in ORDER:
            self._step(factor, showings)

    def _step(self, factor: str, showings: list[Showing]) -> None:
        groups: dict[Key, list[tuple[float, Showing]]] = defaultdict(list)
        for one in showings:
            level = one.levels[factor]
            if level is not None:
                groups[level].append((1 / (1 + math.exp(-self.total(one))), one))
        for level, members in groups.items():
            units = [one.measures.get(factor, 1.0) for _, one in members]
            residual = sum(
                (one.responded - one.shown * p) * unit
                for (p, one), unit in zip(members, units, strict=True)
            )
            gained = sum(
                one.shown * p * (1 - p) * unit**2
                for (p, one), unit in zip(members, units, strict=True)
            )
            information = self.information[factor].get(level, 0.0) + gained
            step = residual / (self.priors[factor] + information)
            self.effects[factor][level] = self.effect(factor, level) + min(1, max(-1, step))
            self.information[factor][level] = information
        if showings:
            self._estimate_prior(factor)

    def _estimate_prior(self, factor: str) -> None:
        seen = {level: i for level, i in self.information[factor].items() if i > 0}
        if seen:
            determined = sum(i / (self.priors[factor] + i) for i in seen.values())
            squares = sum(self.effect(factor, level) ** 2 for level in seen)
            self.priors[factor] = min(50.0, max(0.5, determined / max(squares, 2.0**-24)))
