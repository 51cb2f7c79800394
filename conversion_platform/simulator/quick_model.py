"""A quick model on a dozen simple features, as a baseline in a simulated world.

It reads `source/` only. It is not the platform's model: it measures how hard the world is, and is
the earlier champion when drift is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import TrainingError
from conversion_platform.lake import file_sql, sql_file
from conversion_platform.simulator.randomness import Flags, Floats

if TYPE_CHECKING:
    import duckdb
    import pyarrow

Label = Literal["conversion", "click", "both"]

WINDOW_DAYS = 3
TRAIN_DAYS = 35
ROUNDS = 100
PARAMETERS = {
    "objective": "binary:logistic",
    "max_depth": 4,
    "eta": 0.12,
    "min_child_weight": 10,
    "tree_method": "hist",
    "nthread": 1,  # two threads are not faster on shared cores
    "seed": 5,
}


@dataclass(frozen=True)
class Examples:
    """Impressions with their features (a float column each) and labels."""

    features: Floats
    names: tuple[str, ...]
    clicked: Flags
    converted: Flags


@contextmanager
def opened(source: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB session with the views users, jobs and events over a source folder."""
    import duckdb

    con = duckdb.connect(config={"threads": 2, "memory_limit": "3GB"})
    try:
        con.execute("SET enable_progress_bar = false")
        con.execute("SET TimeZone = 'UTC'")
        for name in ("users", "jobs"):
            one_file = file_sql(source / f"{name}.parquet")
            con.execute(f"CREATE VIEW {name} AS FROM read_parquet({one_file})")
        files = ", ".join(map(file_sql, sorted(source.glob("events/dt=*/events.parquet"))))
        con.execute(f"CREATE VIEW events AS FROM read_parquet([{files}], hive_partitioning = true)")
        yield con
    finally:
        con.close()


def examples(source: Path, days: DayRange) -> Examples:
    """Return the impressions recorded in `days`, with labels within three days."""
    with opened(source) as con:
        con.execute(f"""
            CREATE TEMP TABLE shown AS
            SELECT row_number() OVER (ORDER BY event_id) AS row_number, * FROM (
                SELECT DISTINCT ON (event_id) event_id, user_id, job_id, dt, occurred_at, position
                FROM events WHERE event_type = 'impression'
                AND dt BETWEEN DATE '{days.first}' AND DATE '{days.last}' ORDER BY event_id, dt)
        """)
        con.execute("CREATE VIEW pairs AS SELECT row_number, user_id, job_id, dt FROM shown")
        labels = _columns(con, _LABELS_SQL)
        table = _features(con)
        position = labels.pop("position").astype(np.float64)
    features, names = _matrix(table)
    return Examples(
        features=np.column_stack([features, position]),
        names=(*names, "position"),
        clicked=labels["clicked"].astype(np.bool_),
        converted=labels["converted"].astype(np.bool_),
    )


_LABELS_SQL = f"""
    SELECT s.row_number, s.position,
        bool_or(coalesce(e.event_type = 'click', false)) AS clicked,
        bool_or(coalesce(e.event_type = 'application', false)) AS converted
    FROM shown s LEFT JOIN events e ON s.user_id = e.user_id AND s.job_id = e.job_id
        AND e.event_type IN ('click', 'application') AND e.occurred_at >= s.occurred_at
        AND e.occurred_at < s.occurred_at + INTERVAL {WINDOW_DAYS} DAY
    GROUP BY s.row_number, s.position ORDER BY s.row_number
"""


def pair_features(source: Path, pairs: pyarrow.Table) -> tuple[Floats, tuple[str, ...]]:
    """Return the features of (user_id, job_id, dt) pairs, in their order, at the first slot."""
    import pyarrow as pa

    with opened(source) as con:
        numbers = pa.array(np.arange(pairs.num_rows))
        con.register("pairs", pairs.append_column("row_number", numbers))
        features, names = _matrix(_features(con))
    first_slot = np.zeros(len(features))
    return np.column_stack([features, first_slot]), (*names, "position")


@dataclass(frozen=True)
class QuickModel:
    """A fitted quick model."""

    boosters: tuple[Any, ...]

    def scores(self, features: Floats) -> Floats:
        """Return a score for each row; higher is better."""
        total = np.zeros(len(features))
        for booster in self.boosters:
            total += booster.inplace_predict(features.astype(np.float32), predict_type="margin")
        return total


def fitted(found: Examples, label: Label = "both") -> QuickModel:
    """Fit the model to conversions, to clicks, or to both (the logits are added).

    Raises:
        TrainingError: the examples have only one class of the label.
    """
    import xgboost

    targets = {"conversion": [found.converted], "click": [found.clicked]}
    targets["both"] = [found.converted, found.clicked]
    features = found.features.astype(np.float32)
    boosters = []
    for target in targets[label]:
        if not 0 < target.sum() < len(target):
            raise TrainingError(
                f"The simulated history has {target.sum()} positives in {len(target)} examples.",
                "Simulate more users or more days.",
            )
        data = xgboost.DMatrix(features, target)
        boosters.append(xgboost.train(PARAMETERS, data, ROUNDS))
    return QuickModel(tuple(boosters))


def training_days(first: date, day: date) -> DayRange:
    """Return the days of impressions whose labels have matured on `day`, at most `TRAIN_DAYS`."""
    last = day - (WINDOW_DAYS + 1) * ONE_DAY
    return DayRange(max(first, last - (TRAIN_DAYS - 1) * ONE_DAY), last)


def _features(con: duckdb.DuckDBPyConnection) -> pyarrow.Table:
    return con.sql(sql_file(__package__, "quick_features")).to_arrow_table()


def _matrix(table: pyarrow.Table) -> tuple[Floats, tuple[str, ...]]:
    names = tuple(name for name in table.column_names if name != "row_number")
    return np.column_stack([table[name].to_numpy().astype(np.float64) for name in names]), names


def _columns(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    table = con.sql(query).to_arrow_table()
    return {name: table[name].to_numpy() for name in table.column_names}
