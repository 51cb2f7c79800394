"""The attribute columns of users and jobs, and how each becomes a feature."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conversion_platform.features.builtin import JOB, USER, builtin_features
from conversion_platform.features.sources import stored_name
from conversion_platform.features.spec import RESERVED_NAMES, Feature, Level
from conversion_platform.lake import Session, identifier, quoted
from conversion_platform.marketplace import ATTRIBUTES

if TYPE_CHECKING:
    import duckdb


OTHER = "other"
_LEVELS: dict[str, Level] = {"users": USER, "jobs": JOB}
_VERSIONS: dict[Level, str] = {USER: "feature_users", JOB: "feature_job_versions"}
_KINDS = {
    "numeric": "`{column}` of the {level}.",
    "boolean": "1 if `{column}` of the {level} is true, 0 if false.",
    "timestamp": "Days since `{column}` of the {level}; unknown while that lies ahead.",
    "categorical": "`{column}` of the {level}; rare values are `other`.",
}


@dataclass(frozen=True)
class AttributeFeature:
    """One attribute column that is a feature.

    Attributes:
        column: The column of `users` or `jobs`.
        kind: Its kind in the `attributes` table.
        feature: The feature it becomes.
    """

    column: str
    kind: str
    feature: Feature

    @property
    def stored(self) -> str:
        """Its name in `feature_users` or `feature_jobs`."""
        return stored_name(self.column)


def attribute_features(session: Session) -> list[AttributeFeature]:
    """Return the attributes that are used, users' first, by name.

    Raises:
        NotReadyError: the `attributes` table has not been written.
    """
    session.lake.require(ATTRIBUTES)
    rows = session.con.execute(
        f"SELECT table_name, column_name, kind FROM {session.lake.select(ATTRIBUTES)} "
        "WHERE used ORDER BY table_name DESC, column_name"
    ).fetchall()
    taken = RESERVED_NAMES | {feature.name for feature in builtin_features()}
    plain = {f"{_LEVELS[table]}_{column}" for table, column, _ in rows}
    return [
        AttributeFeature(column, kind, _feature(_LEVELS[table], column, kind, taken, plain))
        for table, column, kind in rows
        if kind in _KINDS
    ]


def _feature(
    level: Level, column: str, kind: str, taken: Collection[str], plain: Collection[str]
) -> Feature:
    """Return the feature of an attribute, under a name that nothing else has.

    Args:
        level: Whether it is a user's or a job's.
        column: The attribute.
        kind: Its kind.
        taken: Names that no attribute may have.
        plain: The names that attributes have where nothing stands against it.
    """
    name = f"{level}_{column}"
    if name in taken:
        name = f"{level}_attribute_{column}"
        while name in taken or name in plain:
            name += "_"
    return Feature(
        name,
        "categorical" if kind == "categorical" else "numeric",
        level,
        _KINDS[kind].format(column=column, level=level),
    )


def attributes_of(features: Collection[str], table: str, columns: Iterable[str]) -> list[str]:
    """Return those columns of `users` or `jobs` that are features of a model.

    Args:
        features: Names of the model's features.
        table: users or jobs.
        columns: Columns that are attributes.
    """
    level = _LEVELS[table]
    return [
        column
        for column in columns
        if not {f"{level}_{column}", f"{level}_attribute_{column}"}.isdisjoint(features)
    ]


def attribute_sql(attribute: AttributeFeature, alias: str, value: str) -> str:
    """Return the select-list entry of an attribute.

    Args:
        attribute: The attribute.
        alias: Table alias that has its column.
        value: For a categorical attribute, the expression `kept_value` gave.
    """
    column = f"{alias}.{identifier(attribute.stored)}"
    number = f"TRY_CAST({column} AS FLOAT)"
    expression = {
        # Infinite, or beyond what a feature holds: missing.
        "numeric": f"CASE WHEN isfinite({number}) THEN {number} END",
        "boolean": f"{column}::INTEGER::FLOAT",
        "timestamp": f"feature_age(d.as_of, {column})",
        "categorical": value,
    }[attribute.kind]
    return f'{expression} AS "{attribute.feature.name}"'


def kept_value(
    con: duckdb.DuckDBPyConnection, level: Level, column: str, alias: str, most: int
) -> str:
    """Return SQL for a categorical value, with all but the `most` frequent ones as `other`.

    Frequencies are those among the users that had joined (the jobs that had opened) before the
    day: a value that becomes frequent later must not change what was known earlier.

    Args:
        con: A session with the tables of `attach_days` in place.
        level: `user` or `job`.
        column: The column.
        alias: Table alias that has it; the alias `d` has the day.
        most: Values kept.
    """
    expression = f'{alias}."{column}"'
    if _distinct_values(con, level, column) <= most:
        return f"{expression}::VARCHAR"
    _count_values(con, level, column, most)
    return (
        f"CASE WHEN {expression} IS NULL THEN NULL WHEN EXISTS ("
        f'SELECT 1 FROM "{_vocabulary(level, column)}" AS v '
        f"WHERE v.dt = d.dt AND v.value = {expression}::VARCHAR"
        f") THEN {expression}::VARCHAR ELSE {quoted(OTHER)} END"
    )


def _vocabulary(level: Level, column: str) -> str:
    return f"feature_vocabulary_{level}_{column}"


def _distinct_values(con: duckdb.DuckDBPyConnection, level: Level, column: str) -> int:
    row = con.execute(f'SELECT count(DISTINCT "{column}") FROM {_VERSIONS[level]}').fetchone()
    return int(row[0]) if row else 0


def _count_values(con: duckdb.DuckDBPyConnection, level: Level, column: str, most: int) -> None:
    began = {
        USER: ("s.created_at", "is_present(s.created_at, NULL, d.as_of)"),
        JOB: ("s.opened_at", "is_open(s.opened_at, NULL, d.as_of)"),
    }
    start, had_begun = began[level]
    most_frequent = f'ORDER BY count_if({had_begun}) DESC, s."{column}"'
    con.execute(
        f'CREATE OR REPLACE TEMP TABLE "{_vocabulary(level, column)}" AS '
        f'SELECT d.dt, s."{column}"::VARCHAR AS value '
        f"FROM {_VERSIONS[level]} AS s INNER JOIN feature_days AS d "
        f"ON {start} < d.ends AND d.dt >= s.from_day AND d.dt < s.to_day "
        f'WHERE s."{column}" IS NOT NULL GROUP BY d.dt, s."{column}" '
        f"QUALIFY row_number() OVER (PARTITION BY d.dt {most_frequent}) <= {most}"
    )
