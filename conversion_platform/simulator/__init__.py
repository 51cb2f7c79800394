"""A marketplace whose truth is known: the demo's data, the tests' truth, the benchmarks' ground.

`build` publishes a history, `advance` one more day together with the reactions to our own
texts, and `truth` answers what only a simulator can: what every user would have done with
every job. Only the command line, tests and benchmarks import this package.
"""

from conversion_platform.simulator.build import Built, Reactions, advance, build
from conversion_platform.simulator.reactions import Reply
from conversion_platform.simulator.table import ranking_table
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
