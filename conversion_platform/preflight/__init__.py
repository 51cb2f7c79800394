"""What a run would refuse, found before anything runs: one list of checks of settings and data.

`check-sources` and `run` use the same list. Settings are checked alone; data are checked in a
temporary lake that the sources were loaded into, or in the installation's lake, by the functions
that the run will call: features are built, users assigned to cohorts, messages decided about.
Nothing is written to the installation's lake or ledger.
"""

from conversion_platform.preflight.checks import Tried, check_data, check_settings
from conversion_platform.preflight.events import check_events, check_freshness
from conversion_platform.preflight.places import folder_problems
from conversion_platform.preflight.trial import Trial, known_of_lake, loaded_trial, trial_of_lake

__all__ = [
    "Trial",
    "Tried",
    "check_data",
    "check_events",
    "check_freshness",
    "check_settings",
    "folder_problems",
    "known_of_lake",
    "loaded_trial",
    "trial_of_lake",
]
