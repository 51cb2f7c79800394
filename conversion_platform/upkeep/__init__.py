"""Keeps an installation well: its format after an upgrade, its backup, its restoration.

No Dagster here: what has to be asked of its instance comes in as `Activity` (runs/activity.py).
"""

from conversion_platform.upkeep.backup import Activity, BackedUp, Patience, back_up
from conversion_platform.upkeep.migration import Migrated, migrate
from conversion_platform.upkeep.places import Places, places_of
from conversion_platform.upkeep.restore import Restored, restore

__all__ = [
    "Activity",
    "BackedUp",
    "Migrated",
    "Patience",
    "Places",
    "Restored",
    "back_up",
    "migrate",
    "places_of",
    "restore",
]
