"""Point-in-time features of users, of jobs and of the two together.

One .sql file a table; one run for any range of days; one query (`pair_query`) that training,
inference and evaluation share. A feature of day D uses only what was known before D 00:00.
"""

from conversion_platform.features.attributes import attributes_of
from conversion_platform.features.build import build_features
from conversion_platform.features.builtin import HISTORY_DAYS
from conversion_platform.features.effects import (
    RESPONSE_EFFECTS,
    SLOTS,
    slot_effects,
)
from conversion_platform.features.file_checks import check_custom_files
from conversion_platform.features.leakage import PointInTime, check_point_in_time
from conversion_platform.features.pairs import feature_spec, pair_history_days, pair_query
from conversion_platform.features.sources import event_days
from conversion_platform.features.spec import Feature, FeatureSpec
from conversion_platform.features.tables import (
    JOB_FEATURES,
    TABLES,
    USER_CATEGORY_FEATURES,
    USER_FEATURES,
)

__all__ = [
    "HISTORY_DAYS",
    "JOB_FEATURES",
    "RESPONSE_EFFECTS",
    "SLOTS",
    "TABLES",
    "USER_CATEGORY_FEATURES",
    "USER_FEATURES",
    "Feature",
    "FeatureSpec",
    "PointInTime",
    "attributes_of",
    "build_features",
    "check_custom_files",
    "check_point_in_time",
    "event_days",
    "feature_spec",
    "pair_history_days",
    "pair_query",
    "slot_effects",
]
