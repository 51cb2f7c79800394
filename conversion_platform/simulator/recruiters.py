"""The human baseline: a recruiter's ranking of the metro's open jobs for a user."""

from __future__ import annotations

import numpy as np

from conversion_platform.simulator.randomness import Floats, Hash, Ints
from conversion_platform.simulator.response import Truth

SEEN_LESS_BY_RANK = 0.2
WHIM = 0.5


def human_score(truth: Truth, user: Ints, job: Ints, popularity: Floats, day: int) -> Floats:
    """Return the recruiter's score: simple rules, a fixed preference, and noise of the day.

    Args:
        truth: The world; of users only stated facts are used.
        user: User numbers, shape (n, 1).
        job: Job numbers, shape (1, m).
        popularity: Recent clicks of those jobs, shape (1, m).
        day: Number of the day.
    """
    users, jobs = truth.users, truth.jobs
    gap = (jobs.pay[job] - users.desired_pay[user]) / 4.0
    age = np.maximum(0, day - jobs.opened_day[job])
    score: Floats = (
        -0.72 * np.log1p(truth.distance(user, job))
        + 0.9 * truth.states(user, job)
        + 0.9 * np.log1p(popularity)
        + 0.3 * np.exp(-age / 4.0)
        + 0.45 * np.clip(gap, -1.0, 1.0)
        + 0.38 * (users.shift[user] == jobs.shift[job])
        + 0.22 * truth.employers.liking[jobs.employer[job]]
        + WHIM * Hash(truth.world.seed, "whim", day + 1).gumbel(user, job)
    )
    return score


def formula_score(truth: Truth, user: Ints, job: Ints, day: int) -> Floats:
    """Return what a careful person could compute: the recruiter's simple rules, without noise.

    Arguments as of `human_score`.
    """
    users, jobs = truth.users, truth.jobs
    gap = (jobs.pay[job] - users.desired_pay[user]) / 4.0
    age = np.maximum(0, day - jobs.opened_day[job])
    score: Floats = (
        -0.72 * np.log1p(truth.distance(user, job))
        + 0.9 * truth.states(user, job)
        + 0.3 * np.exp(-age / 4.0)
        + 0.45 * np.clip(gap, -1.0, 1.0)
        + 0.38 * (users.shift[user] == jobs.shift[job])
    )
    return score


def slate_of(score: Floats, size: int) -> Ints:
    """Return the columns of the `size` best scores of each row, best first; (n, min(size, m))."""
    size = min(size, score.shape[1])
    best = np.argpartition(-score, size - 1, axis=1)[:, :size]
    order = np.argsort(-np.take_along_axis(score, best, axis=1), axis=1, kind="stable")
    slate: Ints = np.take_along_axis(best, order, axis=1)
    return slate


def examination_probability(position: Ints) -> Floats:
    """Return the probability that the user looks at a slot (0 is the first)."""
    return np.asarray(1.0 / (1.0 + SEEN_LESS_BY_RANK * position), np.float64)
