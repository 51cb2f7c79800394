"""Employers and their jobs: published and hidden attributes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from conversion_platform.simulator.geography import CATEGORIES, SHIFT_SHARES
from conversion_platform.simulator.randomness import Flags, Floats, Ints, generator
from conversion_platform.simulator.user_arrays import FACTOR_SCALE, FACTORS, PAY, metro_shares
from conversion_platform.simulator.world import World

LIFE_LEAST, LIFE_MEAN = 5, 15.0
WARM_UP_DAYS = 60
MEAN_LIFE = LIFE_LEAST + LIFE_MEAN


@dataclass(frozen=True)
class Employers:
    """Employers by number. Hidden: quality, liking (of the metro's recruiter)."""

    metro: Ints
    quality: Floats
    liking: Floats
    rating: Floats
    categories: Ints

    def __len__(self) -> int:
        return len(self.metro)


@dataclass(frozen=True)
class Jobs:
    """Jobs by number. Days are numbers, distances km. Hidden: quality, factors, closing_day."""

    metro: Ints
    employer: Ints
    category: Ints
    x: Floats
    y: Floats
    pay: Floats
    shift: Ints
    openings: Ints
    urgent: Flags
    remote: Flags
    opened_day: Ints
    opened_second: Ints
    closing_day: Ints
    closing_second: Ints
    quality: Floats
    factors: Floats

    def __len__(self) -> int:
        return len(self.metro)


def employers_of(world: World) -> Employers:
    """Return all employers; they never leave. Each has a few categories."""
    rng = generator(world.seed, "employers")
    counts = np.maximum(6, np.round(metro_shares(world) * world.jobs / 14)).astype(np.int64)
    total = int(counts.sum())
    quality = 0.5 * rng.standard_normal(total)
    rating = 3.6 + 0.6 * quality + 0.5 * rng.standard_normal(total)
    return Employers(
        metro=np.repeat(np.arange(world.metros), counts),
        quality=quality,
        liking=rng.standard_normal(total),
        rating=np.round(np.clip(rating, 1.0, 5.0), 1).astype(np.float64),
        categories=rng.integers(0, len(CATEGORIES), (total, 3)),
    )


def first_jobs(world: World, employers: Employers) -> Jobs:
    """Return the jobs that are open when the history starts."""
    days = [jobs_opening(world, employers, day) for day in range(-WARM_UP_DAYS, 0)]
    everything = concatenate_jobs(days)
    return select_jobs(everything, np.flatnonzero(everything.closing_day >= 0))


def jobs_opening(world: World, employers: Employers, day: int) -> Jobs:
    """Return the jobs that open on day number `day`."""
    rate = world.jobs / (world.history_days + MEAN_LIFE)
    count = int(np.floor((day + 1) * rate) - np.floor(day * rate))
    rng = generator(world.seed, "jobs", day + WARM_UP_DAYS)
    metro = rng.choice(world.metros, count, p=metro_shares(world))
    employer = _employer_in(employers, metro, rng)
    category = employers.categories[employer, rng.integers(0, 3, count)]
    return Jobs(
        metro=metro,
        employer=employer,
        category=category,
        x=9.0 * rng.standard_normal(count),
        y=9.0 * rng.standard_normal(count),
        pay=np.round(PAY[category] + 2.8 * rng.standard_normal(count), 2),
        shift=rng.choice(3, count, p=SHIFT_SHARES),
        openings=1 + rng.geometric(1 / _mean_openings(world), count),
        urgent=rng.random(count) < 0.15,
        remote=rng.random(count) < 0.05,
        opened_day=np.full(count, day),
        opened_second=rng.integers(7 * 3600, 19 * 3600, count),
        closing_day=day + LIFE_LEAST + rng.exponential(LIFE_MEAN, count).astype(np.int64),
        closing_second=rng.integers(20 * 3600, 21 * 3600, count),
        quality=0.3 * rng.standard_normal(count),
        factors=FACTOR_SCALE * rng.standard_normal((count, FACTORS)),
    )


def _mean_openings(world: World) -> float:
    """Return openings with which a fourth of the jobs fill up early (2 % apply, 1 in 4 hired)."""
    impressions = world.users * 0.8 * world.activity * world.history_days * world.slate
    return max(1.2, impressions * 0.02 * 0.25 / world.jobs)


def _employer_in(employers: Employers, metro: Ints, rng: np.random.Generator) -> Ints:
    """Draw an employer of each job's metro, small numbers more often."""
    firsts = np.searchsorted(employers.metro, metro, "left")
    counts = np.searchsorted(employers.metro, metro, "right") - firsts
    chosen: Ints = firsts + (counts * rng.random(len(metro)) ** 1.5).astype(np.int64)
    return chosen


def concatenate_jobs(parts: list[Jobs]) -> Jobs:
    """Return the jobs of all parts, in order."""
    names = [field.name for field in dataclasses.fields(Jobs)]
    return Jobs(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})


def select_jobs(jobs: Jobs, rows: Ints) -> Jobs:
    """Return the jobs of `rows`."""
    names = [field.name for field in dataclasses.fields(Jobs)]
    return Jobs(**{name: getattr(jobs, name)[rows] for name in names})
