from __future__ import annotations

import numpy as np

from conversion_platform.simulator.randomness import Hash, generator

USERS = np.arange(2000)[:, None]
JOBS = np.arange(50)[None, :]


def test_a_pairs_noise_does_not_depend_on_who_asks_for_it() -> None:
    whole = Hash(3, "pair").normal(USERS, JOBS)
    assert Hash(3, "pair").normal(np.array([17]), np.array([4]))[0] == whole[17, 4]


def test_hashes_are_uniform_normal_and_uncorrelated() -> None:
    uniform = Hash(3, "a").uniform(USERS, JOBS)
    normal = Hash(3, "b").normal(USERS, JOBS)
    assert uniform.min() > 0 and uniform.max() < 1
    assert abs(np.quantile(uniform, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 0.01
    assert abs(normal.mean()) < 0.02 and abs(normal.std() - 1) < 0.02
    assert abs(np.corrcoef(uniform[:-1].ravel(), uniform[1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(uniform.ravel(), normal.ravel())[0, 1]) < 0.02


def test_names_numbers_and_seeds_give_streams_of_their_own() -> None:
    draws = {
        generator(seed, name, number).integers(1 << 40)
        for seed in (1, 2)
        for name in ("x", "y")
        for number in (0, 1)
    }
    assert len(draws) == 8
