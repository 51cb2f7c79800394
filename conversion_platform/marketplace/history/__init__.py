"""Users and jobs as each day saw them: one immutable file of changes for each captured day.

A captured day keeps what the source showed in that day's first run. A row counts from the first
day that could have known it: a change from the day that captured it, a new row from the day after
the capture before (from the first day on, if there is none), so that days before the first run use
the first snapshot. A source that tells several dated rows of one id gives the days of its versions
itself.
"""

from conversion_platform.marketplace.history.capture import (
    Captured,
    capture,
    capture_both,
    require_snapshots,
)
from conversion_platform.marketplace.history.reading import (
    as_of,
    attribute_types,
    ever_known,
    require_history,
    shown_as_of,
    versions,
)
from conversion_platform.marketplace.history.retention import fold_old_snapshots, fold_snapshots
from conversion_platform.marketplace.history.tables import (
    HISTORY_TABLES,
    JOBS_HISTORY,
    JOBS_VERSIONS,
    USERS_HISTORY,
    USERS_VERSIONS,
)

__all__ = [
    "HISTORY_TABLES",
    "JOBS_HISTORY",
    "JOBS_VERSIONS",
    "USERS_HISTORY",
    "USERS_VERSIONS",
    "Captured",
    "as_of",
    "attribute_types",
    "capture",
    "capture_both",
    "ever_known",
    "fold_old_snapshots",
    "fold_snapshots",
    "require_history",
    "require_snapshots",
    "shown_as_of",
    "versions",
]
