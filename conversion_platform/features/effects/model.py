"""The additive model: its state, and what a day of responses does to it.

The log-odds of a response are the sum of one effect of each factor. A day is one step of assumed
density filtering with independent normal effects (Opper 1998; as in Graepel et al., *Web-scale
Bayesian click-through rate prediction*, 2010): the factors are gone through in order, and each of
its levels moves by

    (observed - expected) / (prior + information)

with expected from the effects of all factors before the step, `information` the sum of p (1 - p)
over all that the level was ever shown (both times the measure, where the effect is a slope), and
`prior` the precision of the factor's normal prior:
how alike its levels are, estimated from them (empirical Bayes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conversion_platform.features.effects.factors import BANDS, FACTORS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

# Sums of whole multiples of this are exact in double precision, in whatever order rows arrive.
UNIT = 2.0**-24
HALF_LIFE_DAYS = {"all": 7}
"""Days after which what was observed weighs half: the level of all responses follows the season."""
USUAL_HALF_LIFE_DAYS = 180
LARGEST_STEP = 1.0
FIRST_PRIOR, LEAST_PRIOR, MOST_PRIOR = 4.0, 0.5, 50.0


@dataclass
class Levels:
    """The levels of one factor that were ever shown, in ascending order of their keys.

    Attributes:
        keys: int64, shape (n,).
        effects: Log-odds, float32, shape (n,).
        information: float32, shape (n,).
        prior: Precision of the prior.
    """

    keys: Array
    effects: Array
    information: Array
    prior: float = FIRST_PRIOR

    @classmethod
    def of_bands(cls, count: int) -> Levels:
        """Return the levels of a factor whose levels are all known."""
        import numpy as np

        nothing = np.zeros(count, np.float32)
        return cls(np.arange(count, dtype=np.int64), nothing, nothing.copy())

    def add(self, keys: Array) -> None:
        """Add levels that are not known yet, with an effect of 0.

        Args:
            keys: Distinct keys in ascending order, int64, shape (m,).
        """
        import numpy as np

        at = np.searchsorted(self.keys, keys)
        new = (
            keys if not len(self.keys) else keys[self.keys[at.clip(max=len(self.keys) - 1)] != keys]
        )
        where = np.searchsorted(self.keys, new)
        self.keys = np.insert(self.keys, where, new)
        self.effects = np.insert(self.effects, where, np.float32(0))
        self.information = np.insert(self.information, where, np.float32(0))

    def estimate_prior(self) -> None:
        """Set the precision of the prior to one over the mean square of the true effects.

        One step of MacKay's evidence approximation (*Bayesian interpolation*, 1992): the squares of
        the estimates over how many levels the data determines. Expectation maximisation takes
        hundreds of days to find that levels of which little is known are all alike.
        """
        import numpy as np

        seen = self.information > 0
        if not seen.any():
            return
        effects, information = (
            values[seen].astype(np.float64) for values in (self.effects, self.information)
        )
        determined = _exact_sum(information / (self.prior + information))
        squares = max(_exact_sum(effects * effects), UNIT)
        self.prior = float(np.float32(np.clip(determined / squares, LEAST_PRIOR, MOST_PRIOR)))


@dataclass
class Responses:
    """Pairs of user and job on one day: shape (n,) each.

    Attributes:
        keys: The level of each factor, int64; -1 where it has none.
        measures: What the effects of factors are multiplied by, for `SLOPES`.
        shown: Whether the job was shown (else only the response was seen on this day).
        responded: Whether the user responded.
    """

    keys: Mapping[str, Array]
    measures: Mapping[str, Array]
    shown: Array
    responded: Array


@dataclass
class Effects:
    """The state of the model: the levels of each factor."""

    factors: dict[str, Levels] = field(default_factory=dict)

    @classmethod
    def unknown(cls) -> Effects:
        """Return the state before the first day."""
        return cls({name: Levels.of_bands(BANDS.get(name, 0)) for name in FACTORS})

    @property
    def has_begun(self) -> bool:
        """Whether anything was ever shown."""
        return bool(self.factors["all"].information[0] > 0)

    def advance(self, day: Responses) -> None:
        """Take in the responses of one day; older days lose weight even without any."""
        import numpy as np

        for name, levels in self.factors.items():
            half_life = HALF_LIFE_DAYS.get(name, USUAL_HALF_LIFE_DAYS)
            levels.information *= np.float32(0.5 ** (1 / half_life))
        if not len(day.shown) or not (self.has_begun or day.shown.any()):
            return
        if not self.has_begun:
            self.factors["all"].effects[0] = _first_level(day)
        places = {
            name: _Places.of(self.factors[name], day.keys[name], day.measures.get(name))
            for name in FACTORS
        }
        logits = np.zeros(len(day.shown))
        for place in places.values():
            logits[place.rows] += place.effects()
        for place in places.values():
            place.update(logits, day)


@dataclass
class _Places:
    """The rows of a day that have a level of one factor, and which of its levels.

    Attributes:
        levels: The factor.
        rows: Numbers of the rows, shape (m,).
        known: Place among the factor's levels of each level of the day, shape (l,).
        which: Number among `known` of each row's level, shape (m,).
        measures: What the effect is multiplied by, shape (m,).
    """

    levels: Levels
    rows: Array
    known: Array
    which: Array
    measures: Array

    @classmethod
    def of(cls, levels: Levels, keys: Array, measures: Array | None) -> _Places:
        import numpy as np

        rows = np.flatnonzero(keys >= 0)
        found, which = np.unique(keys[rows], return_inverse=True)
        levels.add(found)
        units = np.ones(len(rows)) if measures is None else measures[rows]
        return cls(levels, rows, np.searchsorted(levels.keys, found), which, units)

    def effects(self) -> Array:
        """Return what each row's level adds."""
        effects: Array = self.levels.effects[self.known][self.which] * self.measures
        return effects

    def update(self, logits: Array, day: Responses) -> None:
        """Move the day's levels by their residuals, and the log-odds of the rows with them."""
        import numpy as np

        shown, responded = day.shown[self.rows], day.responded[self.rows]
        expected = 1 / (1 + np.exp(-logits[self.rows].clip(-30, 30)))
        residual = (responded - shown * expected) * self.measures
        variance = shown * expected * (1 - expected) * self.measures**2
        residuals = _sums(self.which, residual, len(self.known))
        gained = _sums(self.which, variance, len(self.known))
        information = self.levels.information[self.known] + gained
        steps = residuals / (self.levels.prior + information)
        # The first days of a new source would else overshoot: their expectation is far off.
        steps = steps.clip(-LARGEST_STEP, LARGEST_STEP).astype(np.float32)
        self.levels.effects[self.known] += steps
        self.levels.information[self.known] = information.astype(np.float32)
        self.levels.estimate_prior()
        logits[self.rows] += steps[self.which] * self.measures


def _first_level(day: Responses) -> float:
    """Return the log-odds of the first day's responses, as if half of one more had responded."""
    import numpy as np

    responses = float(day.responded.sum()) + 0.5
    others = max(float(day.shown.sum()) - responses, 0.0) + 0.5
    return float(np.float32(np.log(responses / others)))


def _sums(groups: Array, values: Array, count: int) -> Array:
    """Return the sum of the values of each group; in any order of rows the same."""
    import numpy as np

    sums: Array = np.bincount(groups, np.rint(values / UNIT), minlength=count) * UNIT
    return sums


def _exact_sum(values: Array) -> float:
    import numpy as np

    return float(np.rint(values / UNIT).sum() * UNIT)
