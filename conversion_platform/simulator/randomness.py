"""Reproducible random numbers: named generators, and hashes of pairs.

A pair's noise must not depend on the order in which pairs are computed, so it is a hash of the pair
and not a draw from a generator.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_Words = npt.NDArray[np.uint64]

_MASK = (1 << 64) - 1


def generator(seed: int, name: str, *numbers: int) -> np.random.Generator:
    """Return a generator for a name and non-negative numbers (such as a day's)."""
    words = [seed, zlib.crc32(name.encode()), *numbers]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


class Hash:
    """Hashes of (first, second) integer arrays, broadcast, under a seed, a name and a number."""

    def __init__(self, seed: int, name: str, number: int = 0) -> None:
        start = (seed * 0x9E3779B97F4A7C15) ^ (zlib.crc32(name.encode()) << 20) ^ (number + 1)
        self._start = np.uint64(_mixed_int(start & _MASK))

    def words(self, first: Ints, second: Ints | int = 0) -> _Words:
        """Return 64 well-mixed bits for each pair."""
        left = _mixed(np.atleast_1d(first).astype(np.uint64) + self._start)
        right = np.atleast_1d(second).astype(np.uint64) * np.uint64(0xD1342543DE82EF95)
        mixed: _Words = _mixed(left ^ right)
        return mixed

    def uniform(self, first: Ints, second: Ints | int = 0) -> Floats:
        """Return uniform numbers on (0, 1)."""
        words = self.words(first, second)
        uniform: Floats = ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        return uniform

    def normal(self, first: Ints, second: Ints | int = 0) -> Floats:
        """Return standard normal numbers (Box-Muller over the two halves of the hash)."""
        words = self.words(first, second)
        radius = ((words >> np.uint64(32)).astype(np.float64) + 0.5) * 2.0**-32
        angle = (words & np.uint64(0xFFFFFFFF)).astype(np.float64) * 2.0**-32
        normal: Floats = np.sqrt(-2.0 * np.log(radius)) * np.cos(2.0 * np.pi * angle)
        return normal

    def gumbel(self, first: Ints, second: Ints | int = 0) -> Floats:
        """Return standard Gumbel numbers."""
        gumbel: Floats = -np.log(-np.log(self.uniform(first, second)))
        return gumbel


def _mixed(words: _Words) -> _Words:
    """Apply the finaliser of splitmix64; unsigned overflow is intended."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: _Words = words ^ (words >> np.uint64(31))
    return result


def _mixed_int(word: int) -> int:
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK
    return word ^ (word >> 31)


def sigmoid(logit: Any) -> Floats:
    """Return the logistic function."""
    result: Floats = 1.0 / (1.0 + np.exp(-logit))
    return result
