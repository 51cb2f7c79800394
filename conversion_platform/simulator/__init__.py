"""A simulated marketplace with known truth, for the demo, the tests and the benchmarks.

`build` publishes a history, `advance` one more day with the reactions to the platform's messages,
and `candidates` gives the truth: what every user would have done with every job. Only the command
line, tests and benchmarks import this package.
"""

from conversion_platform.simulator.build import Built, Reactions, advance, build
from conversion_platform.simulator.difficulty import ranking_table
from conversion_platform.simulator.reactions import Reply
from conversion_platform.simulator.truth import candidates
from conversion_platform.simulator.world import Drift, World

__all__ = [
    "Built",
    "Drift",
    "Reactions",
    "Reply",
    "World",
    "advance",
    "build",
    "candidates",
    "ranking_table",
]
