"""A slow, plain reader of source trees, which follows docs/sources.md and not the implementation.

It splits CSV text itself, opens Parquet files with pyarrow, and uses no SQL. The tests of generated
trees compare what it says of a tree with what the platform says.
"""

from conversion_platform_tests.marketplace.reference.entities import read_entities
from conversion_platform_tests.marketplace.reference.events import EventRules, read_events
from conversion_platform_tests.marketplace.reference.settings import How
from conversion_platform_tests.marketplace.reference.verdict import RefusedError, Reject, Verdict

__all__ = [
    "EventRules",
    "How",
    "RefusedError",
    "Reject",
    "Verdict",
    "read_entities",
    "read_events",
]
