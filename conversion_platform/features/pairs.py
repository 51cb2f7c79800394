"""The one query that gives pairs their features, and the list of those features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.features.attributes import attribute_features
from conversion_platform.features.builtin import JOB, PAIR, USER, builtin_features
from conversion_platform.features.custom import custom_features, custom_files
from conversion_platform.features.effects import (
    MOST_TEXTS,
    RESPONSE_EFFECTS,
    distance_band,
    distance_measure,
    pay_band,
    pay_measure,
)
from conversion_platform.features.sources import event_days
from conversion_platform.features.spec import FeatureSpec, Level
from conversion_platform.features.tables import (
    JOB_FEATURES,
    USER_CATEGORY_FEATURES,
    USER_FEATURES,
)
from conversion_platform.features.templates import (
    event_conditions,
    known_day_sql,
    partition_ends,
    rendered,
)
from conversion_platform.lake import Select, Session
from conversion_platform.marketplace import (
    EVENTS,
    JOBS_HISTORY,
    USERS_HISTORY,
    require_history,
    versions,
)

if TYPE_CHECKING:
    from conversion_platform.lake import Table
    from conversion_platform.settings import Settings

PAIR_HISTORY_DAYS = 28
_CARRIED = (
    "prior_click_rate", "prior_conversion_rate", "prior_action_share", "user_actions_90d",
    "clicked_pay", "category_impressions_28d", "category_clicks_28d", "category_conversions_28d",
    "category_impressions_90d", "category_clicks_90d", "category_conversions_90d",
    "impressions_7d", "impressions_28d", "clicks_28d", "conversions_28d", "pay_difference",
    "pay_ratio", "pay", "shift_match", "skill_match", "same_region", "distance_km",
    "category_effect", "bands", "effects", "texts", "texts_effect", "distance_effect",
    "pay_effect", "skill_effect", "shift_effect", "pay_slope", "distance_slope",
    "user_pay_effect", "user_distance_effect",
)  # fmt: skip


def feature_spec(session: Session) -> FeatureSpec:
    """Every feature of this installation: built in, from attributes, and custom.

    Raises:
        NotReadyError: users, jobs or attributes have not been materialised.
        SettingsError: a file of custom features is wrong.
    """
    features = [feature.plain() for feature in builtin_features()]
    features += [attribute.feature for attribute in attribute_features(session)]
    files = custom_files(session.settings)
    if files:
        require_history(session.lake)
        taken = {feature.name for feature in features}
        features += custom_features(session, files, taken)
    order = {USER: 0, JOB: 1, PAIR: 2}
    return FeatureSpec(tuple(sorted(features, key=lambda feature: order[feature.level])))


def pair_query(
    session: Session,
    spec: FeatureSpec,
    pairs: str,
    days: DayRange,
    select: Select | None = None,
) -> str:
    """Return SQL that adds every feature of `spec` to pairs of user and job.

    The same query serves training, batch inference and evaluation. It returns one row for each
    row of `pairs`, in no particular order, with all columns of `pairs` and then the features:
    numeric ones as FLOAT, categorical ones as VARCHAR, NULL where something is not known. A user
    or job that has no features on the day (it joined or opened later) has NULLs.

    Args:
        session: Settings, lake and DuckDB connection.
        spec: Features to add.
        pairs: A relation's name or a parenthesised query with user_id, job_id and dt (DATE), and
            no column that begins with `_` or is named like a feature.
        days: A range that holds every `dt` of the pairs.
        select: How tables are read, if not whole: the users of the pairs alone, say.

    Raises:
        NotReadyError: features of one of `days`, or users or jobs, have not been materialised.
    """
    for table in (RESPONSE_EFFECTS, USER_FEATURES, JOB_FEATURES, USER_CATEGORY_FEATURES):
        session.lake.require(table, days)
    require_history(session.lake)
    select = select or session.lake.select
    listed = set(spec.names(level=PAIR))
    query = rendered(
        "pair_features",
        {
            **event_conditions(session.settings),
            **_history(session.settings, select, days),
            "pairs": pairs,
            "wishes": rendered(
                "wishes", {"users": versions(session.lake, USERS_HISTORY, select=select)}
            ),
            "offers": rendered(
                "offers", {"jobs": versions(session.lake, JOBS_HISTORY, select=select)}
            ),
            "effects": session.lake.select(RESPONSE_EFFECTS, days),
            "most_texts": MOST_TEXTS,
            "distance_band": distance_band("_distance_km"),
            "pay_band": pay_band("_pay_ratio"),
            "distance_measure": distance_measure("_distance_km"),
            "pay_measure": pay_measure("_pay_ratio"),
            "user_features": _with_columns(select, USER_FEATURES, spec, USER, days),
            "job_features": _with_columns(select, JOB_FEATURES, spec, JOB, days),
            "user_category_features": select(USER_CATEGORY_FEATURES, days),
            "level_features": _level_features(spec),
            "unlisted": ", ".join(f"_{name}" for name in _CARRIED),
            "shrinkage": session.settings.features.shrinkage,
            "max_distance_km": session.settings.features.max_distance_km,
        },
    )
    left_out = [f.name for f in builtin_features() if f.level == PAIR and f.name not in listed]
    return f"SELECT * EXCLUDE ({', '.join(left_out)}) FROM (\n{query})" if left_out else query


def pair_history_days(settings: Settings, days: DayRange) -> DayRange:
    """Return the days of the events that the pairs of `days` look back to."""
    return event_days(settings, days, PAIR_HISTORY_DAYS)


def _history(settings: Settings, select: Select, days: DayRange) -> dict[str, object]:
    """Return the events that say how often a user has met a job."""
    partitions = pair_history_days(settings, days)
    return {
        "events": select(EVENTS, partitions),
        "partitions": partition_ends(settings, partitions),
        "known_on": known_day_sql(settings),
        "first": days.first.isoformat(),
        "last": days.last.isoformat(),
    }


def _with_columns(
    select: Select, table: Table, spec: FeatureSpec, level: Level, days: DayRange
) -> str:
    """Return a feature table in which each feature of the spec exists.

    An attribute or a file that came or went since a day was built leaves that day without its
    column; a model that knows the feature then sees it as missing.
    """
    declared = {column.name for column in table.columns}
    further = [
        f'NULL::{_type(feature.kind)} AS "{feature.name}"'
        for feature in spec.features
        if feature.level == level and feature.name not in declared
    ]
    if not further:
        return select(table, days)
    return (
        f"(SELECT * FROM {select(table, days)} UNION ALL BY NAME "
        f"SELECT {', '.join(further)} WHERE false)"
    )


def _level_features(spec: FeatureSpec) -> str:
    alias = {USER: "u", JOB: "j"}
    return ",\n        ".join(
        f'{alias[feature.level]}."{feature.name}"::{_type(feature.kind)} AS "{feature.name}"'
        for feature in spec.features
        if feature.level != PAIR
    )


def _type(kind: str) -> str:
    return "FLOAT" if kind == "numeric" else "VARCHAR"
