"""Generated source trees: what the platform loads is what a slow, plain reader says of them.

20 trees by default. All of 10,000, by two processes in about 40 minutes, by

    TREES=10000 python -m pytest conversion_platform_tests/marketplace/test_generated_trees.py -s

which says every 500 trees how many agreed. `TREES=4500:10000` goes on from tree 4500, and
`TREES=1234:1235` repeats tree 1234 alone. A tree is the same everywhere.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from conversion_platform_tests.marketplace.agreement import difference, plain

FEW = 20
TOGETHER = 25
TOLD = 500
pytestmark = pytest.mark.timeout(3 * 3600)


def _numbers() -> range:
    """Return the trees that the environment asks for."""
    first, _, end = os.environ.get("TREES", str(FEW)).rpartition(":")
    return range(int(first or 0), int(end))


def _differences(numbers: range) -> list[str]:
    return [found for number in numbers if (found := difference(number))]


def _in_parts(numbers: range) -> Iterator[tuple[int, list[str]]]:
    """Yield how far the comparison is, and the differences that it found."""
    parts = [numbers[place : place + TOGETHER] for place in range(0, len(numbers), TOGETHER)]
    if len(numbers) <= 10 * TOGETHER:
        yield from ((part[-1] + 1, _differences(part)) for part in parts)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        for part, found in zip(parts, pool.map(_differences, parts), strict=True):
            yield part[-1] + 1, found


def test_the_platform_and_a_plain_reader_say_the_same_of_every_tree() -> None:
    numbers, differences = _numbers(), []
    for end, found in _in_parts(numbers):
        differences += found
        for one in found:
            print(f"\n{one}", flush=True)
        if end % TOLD == 0:
            agreed = end - numbers.start - len(differences)
            print(f"\nTrees {numbers.start} to {end - 1}: {agreed:,} agree.", flush=True)
    assert not differences, "\n\n".join(differences[:3])


def test_the_trees_have_accepted_and_rejected_rows_and_few_are_refused_as_a_whole() -> None:
    """A generator whose trees are all refused would agree with anything."""
    said = [plain(number) for number in range(90)]
    assert sum(one.refused for one in said) < len(said) / 3
    for count in ("accepted", "rejected"):
        assert sum(one.counts.get(count, 0) > 0 for one in said) > len(said) / 3
