"""The true response of a user to a job, split by what can be known or learned.

    logit p(convert) = known + learnable + factors + noise + day

Functions take arrays of user and job numbers that broadcast against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from conversion_platform.days import ONE_DAY
from conversion_platform.simulator.geography import CATEGORIES
from conversion_platform.simulator.job_arrays import Employers, Jobs
from conversion_platform.simulator.randomness import Flags, Floats, Hash, Ints
from conversion_platform.simulator.user_arrays import Users
from conversion_platform.simulator.world import World

CLICK_IS_EASIER = 2.2
WEEKDAY_LOGIT = (0.06, 0.05, 0.02, 0.0, -0.04, -0.05, -0.02)
WEEKDAY_TRAFFIC = (1.12, 1.08, 1.05, 1.0, 0.92, 0.85, 0.98)
MONTH_LOGIT = (0.08, 0.04, 0.0, 0.0, 0.03, 0.06, 0.02, 0.0, 0.05, 0.03, 0.0, -0.1)
FATIGUE = 0.12
USUAL_LOG_DISTANCE = 2.6
STATED_IS_TRUE = 0.75
MEAN_TASTE = 1 / len(CATEGORIES)


@dataclass(frozen=True)
class Rules:
    """The weights of the response on one day; drift changes them.

    Attributes:
        turned: Share of the users whose hidden tastes have changed (latent drift).
    """

    base: float = -5.8
    distance: float = 1.27
    pay: float = 1.32
    skill: float = 1.72
    shift: float = 0.98
    taste: float = 1.5
    urgent: float = 0.15
    turned: float = 0.0


@dataclass(frozen=True)
class Truth:
    """All inputs of the response."""

    world: World
    users: Users
    jobs: Jobs
    employers: Employers

    def distance(self, user: Ints, job: Ints) -> Floats:
        """Return the kilometres between home and work."""
        users, jobs = self.users, self.jobs
        distance: Floats = np.hypot(users.x[user] - jobs.x[job], users.y[user] - jobs.y[job])
        return distance

    def states(self, user: Ints, job: Ints) -> Flags:
        """Return whether the user states the skill that the job asks for."""
        category = self.jobs.category[job]
        users = self.users
        stated: Flags = (users.stated_skill[user] == category) | (
            users.second_skill[user] == category
        )
        return stated

    def known(self, user: Ints, job: Ints, rules: Rules) -> Floats:
        """Return the part by stated facts, with hidden attributes at their average."""
        turned = rules.turned
        shared = self._distance_and_shift(user, job, rules, 1.0 - 2.0 * turned)
        stated = rules.skill * STATED_IS_TRUE * self.states(user, job)
        known: Floats = shared + stated + rules.pay * self._pay(user, job)
        return known

    def learnable(self, user: Ints, job: Ints, rules: Rules) -> Floats:
        """Return the part that a model could learn: all but low-rank taste and pair noise."""
        users, jobs = self.users, self.jobs
        inner = self.hidden_identity(user, rules)
        wish_sign = np.where(inner == user, 1.0, -1.0)
        category = jobs.category[job]
        employer = jobs.employer[job]
        learnable: Floats = (
            self._distance_and_shift(user, job, rules, wish_sign)
            + users.propensity[user]
            + self.employers.quality[employer]
            + jobs.quality[job]
            + rules.skill * (users.true_skill[inner] == category)
            + rules.pay * users.pay_sensitivity[inner] * self._pay(user, job)
            + rules.taste * (users.taste[inner, category] - MEAN_TASTE)
        )
        return learnable

    def factors(self, user: Ints, job: Ints, rules: Rules) -> Floats:
        """Return the low-rank hidden taste."""
        inner = self.hidden_identity(user, rules)
        product: Floats = (self.users.factors[inner] * self.jobs.factors[job]).sum(axis=-1)
        return product

    def noise(self, user: Ints, job: Ints) -> Floats:
        """Return the fixed hidden noise of the pair."""
        return 0.25 * Hash(self.world.seed, "pair").normal(user, job)

    def logit(self, user: Ints, job: Ints, rules: Rules, day: float | Floats) -> Floats:
        """Return the logit of a conversion, given `day` (base, season and fatigue)."""
        taste = self.learnable(user, job, rules) + self.factors(user, job, rules)
        logit: Floats = taste + self.noise(user, job) + rules.base + day
        return logit

    def hidden_identity(self, user: Ints, rules: Rules) -> Ints:
        """Return the user whose hidden attributes apply: the same, or a neighbour.

        With latent drift neighbours swap, so that the marginals of hidden attributes do not change.
        """
        if rules.turned <= 0.0:
            return user
        couple = user >> 1
        other = np.minimum(user ^ 1, len(self.users) - 1)
        turns = Hash(self.world.seed, "turn").uniform(couple).reshape(user.shape) < rules.turned
        # Only users who joined together swap; the first users count as one arrival.
        arrival = np.maximum(self.users.joined_day, -1)
        inner: Ints = np.where(turns & (arrival[user] == arrival[other]), other, user)
        return inner

    def _distance_and_shift(
        self, user: Ints, job: Ints, rules: Rules, wish_sign: float | Floats
    ) -> Floats:
        """Return the part of distance and shift: less for users who wish for more pay.

        Latent drift reverses the sign of that wish.
        """
        users, jobs = self.users, self.jobs
        minding = np.where(users.has_car[user], 0.85, 1.2) - 0.2 * wish_sign * users.wish[user]
        minding = minding * np.where(jobs.remote[job], 0.3, 1.0)
        way = np.log1p(self.distance(user, job)) - USUAL_LOG_DISTANCE
        same_shift = users.shift[user] == jobs.shift[job]
        part: Floats = (
            rules.shift * same_shift + rules.urgent * jobs.urgent[job]
            - rules.distance * minding * way
        )  # fmt: skip
        return part

    def _pay(self, user: Ints, job: Ints) -> Floats:
        gap = self.jobs.pay[job] - self.users.desired_pay[user]
        pay: Floats = np.tanh(gap / 4.0)
        return pay


def season(day: date) -> float:
    """Return what the calendar adds to the logit."""
    holiday = -0.2 if is_holiday(day) else 0.0
    return WEEKDAY_LOGIT[day.weekday()] + MONTH_LOGIT[day.month - 1] + holiday


def traffic(day: date) -> float:
    """Return the number of visits relative to an ordinary day."""
    return WEEKDAY_TRAFFIC[day.weekday()] * (0.6 if is_holiday(day) else 1.0)


def is_holiday(day: date) -> bool:
    """Return whether the day is a US holiday."""
    fixed = {(1, 1), (7, 4), (12, 24), (12, 25)}
    nth_weekday = {(1, 0, 3), (2, 0, 3), (9, 0, 1), (11, 3, 4)}
    if (day.month, day.day) in fixed or (day.month, day.weekday(), _nth(day)) in nth_weekday:
        return True
    return day.month == 5 and day.weekday() == 0 and (day + 7 * ONE_DAY).month == 6


def _nth(day: date) -> int:
    return (day.day - 1) // 7 + 1
