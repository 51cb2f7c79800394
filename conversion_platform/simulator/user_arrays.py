"""Users: their stated and hidden attributes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from conversion_platform.simulator.geography import (
    CATEGORIES,
    CONSENT_SOURCES,
    METROS,
    REFERRALS,
    SHIFT_SHARES,
)
from conversion_platform.simulator.randomness import Flags, Floats, Ints, generator
from conversion_platform.simulator.world import World

SURE_THING, PERSUADABLE, LOST_CAUSE, DO_NOT_DISTURB = range(4)
SEGMENTS = ("sure_thing", "persuadable", "lost_cause", "do_not_disturb")
STOCK_SHARE = 0.75
PAY = np.array([pay for _, pay, _ in CATEGORIES])
FACTORS = 3
FACTOR_SCALE = float(np.sqrt(0.4 / np.sqrt(FACTORS)))  # so that their product has sd 0.4


@dataclass(frozen=True)
class Users:
    """Users by number, one array entry each. Days are numbers, distances km, times seconds.

    Hidden from the platform: true_skill, propensity, segment, pay_sensitivity, activity, taste,
    factors. The others are in the source table.
    """

    metro: Ints
    x: Floats
    y: Floats
    joined_day: Ints
    joined_second: Ints
    left_day: Ints
    desired_pay: Floats
    wish: Floats
    stated_skill: Ints
    second_skill: Ints
    shift: Ints
    experience: Floats
    has_car: Flags
    has_phone: Flags
    consents: Flags
    consent_source: Ints
    referral: Ints
    wave: Flags
    true_skill: Ints
    propensity: Floats
    segment: Ints
    pay_sensitivity: Floats
    activity: Floats
    taste: Floats
    factors: Floats

    def __len__(self) -> int:
        return len(self.metro)


def first_users(world: World) -> Users:
    """Return the users who are present when the history starts."""
    count = round(world.users * STOCK_SHARE)
    users = _drawn(world, generator(world.seed, "users", 0), count, 0)
    ages = generator(world.seed, "user ages").integers(1, 200, count)
    # Oldest first, so that numbers increase with time as in a real table.
    return dataclasses.replace(users, joined_day=-np.sort(ages)[::-1])


def users_joining(world: World, day: int, wave: int = 0) -> Users:
    """Return the users who join on day number `day`, with `wave` users of the covariate drift."""
    rate = (world.users - round(world.users * STOCK_SHARE)) / world.history_days
    count = int((day + 1) * rate) - int(day * rate)
    regular = _drawn(world, generator(world.seed, "users", day + 1), count, day)
    if not wave:
        return regular
    rng = generator(world.seed, "wave", day)
    return concatenate_users([regular, _with_other_wishes(_drawn(world, rng, wave, day), rng)])


def concatenate_users(parts: list[Users]) -> Users:
    """Return the users of all parts, in order."""
    names = [field.name for field in dataclasses.fields(Users)]
    return Users(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})


def _drawn(world: World, rng: np.random.Generator, count: int, day: int) -> Users:
    propensity = 0.7 * rng.standard_normal(count)
    true_skill = rng.integers(0, len(CATEGORIES), count)
    wrong = rng.random(count) < 0.25
    other = (true_skill + rng.integers(1, len(CATEGORIES), count)) % len(CATEGORIES)
    wish = np.clip(rng.standard_normal(count), -2.5, 2.5)
    stated = np.where(wrong, other, true_skill)
    segment = _segments(rng, propensity)
    return Users(
        metro=rng.choice(world.metros, count, p=metro_shares(world)),
        x=12.0 * rng.standard_normal(count),
        y=12.0 * rng.standard_normal(count),
        joined_day=np.full(count, day),
        joined_second=rng.integers(7 * 3600, 20 * 3600, count),
        left_day=day + 2 + rng.exponential(400.0, count).astype(np.int64),
        desired_pay=np.round(PAY[stated] + 0.5 + 3.0 * wish, 2),
        wish=wish,
        stated_skill=stated,
        second_skill=np.where(rng.random(count) < 0.3, rng.integers(0, len(CATEGORIES), count), -1),
        shift=rng.choice(3, count, p=SHIFT_SHARES),
        experience=np.round(rng.gamma(1.6, 3.0, count), 1),
        has_car=rng.random(count) < 0.6,
        has_phone=rng.random(count) < 0.96,
        consents=rng.random(count) < 0.86,
        consent_source=rng.integers(0, len(CONSENT_SOURCES), count),
        referral=rng.integers(0, len(REFERRALS), count),
        wave=np.zeros(count, np.bool_),
        true_skill=true_skill,
        propensity=propensity,
        segment=segment,
        pay_sensitivity=np.exp(0.4 * rng.standard_normal(count) - 0.08),
        activity=_activity(rng, world, segment),
        taste=rng.dirichlet(np.full(len(CATEGORIES), 0.35), count),
        factors=FACTOR_SCALE * rng.standard_normal((count, FACTORS)),
    )


def metro_shares(world: World) -> Floats:
    """Return the share of users and jobs in each metro."""
    weights = np.array([metro.weight for metro in METROS[: world.metros]])
    shares: Floats = weights / weights.sum()
    return shares


def _segments(rng: np.random.Generator, propensity: Floats) -> Ints:
    """Draw segments by propensity: high for sure things, low for lost causes."""
    count = len(propensity)
    leaning = propensity / 0.7 + rng.standard_normal(count)
    annoyed = rng.random(count) < 0.25
    between = np.where(annoyed, DO_NOT_DISTURB, PERSUADABLE)
    choices: Ints = np.select(
        [leaning > 1.2, leaning < -0.75], [SURE_THING, LOST_CAUSE], between
    ).astype(np.int64)
    return choices


def _activity(rng: np.random.Generator, world: World, segment: Ints) -> Floats:
    """Draw the probability of a visit on an ordinary day; it varies widely between users."""
    zeal = rng.gamma(1.5, 1 / 1.5, len(segment)) * np.where(segment == SURE_THING, 1.3, 0.95)
    activity: Floats = np.minimum(0.9, world.activity * zeal)
    return activity


def _with_other_wishes(users: Users, rng: np.random.Generator) -> Users:
    """Return the users of the covariate drift: higher pay, longer distance, later shifts."""
    count = len(users)
    wish = np.clip(users.wish + 1.6, -2.5, 4.0)
    return dataclasses.replace(
        users,
        wish=wish,
        desired_pay=np.round(PAY[users.stated_skill] + 0.5 + 3.0 * wish, 2),
        x=1.6 * users.x,
        y=1.6 * users.y,
        shift=rng.choice(3, count, p=(0.2, 0.45, 0.35)),
        experience=np.round(users.experience * 0.4, 1),
        wave=np.ones(count, np.bool_),
    )
