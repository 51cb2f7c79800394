"""The day's predictions: every eligible user's best jobs, scored in one streaming pass.

Users go through in buckets of neighbouring ids. A bucket's pairs are scored batch by batch and
cut to the best k of each user before the next bucket starts, so memory depends on the bucket
and not on the number of users.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.features.tables import JOB_FEATURES, USER_FEATURES
from conversion_platform.inference.candidates import (
    eligible_users_query,
    open_jobs_query,
    pairs_query,
)
from conversion_platform.inference.scoring import score_batches
from conversion_platform.inference.tables import DAILY_PREDICTIONS
from conversion_platform.lake import Written
from conversion_platform.lake.lake import quoted
from conversion_platform.marketplace.tables import JOBS, USERS
from conversion_platform.training import load_model

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import pyarrow as pa

    from conversion_platform.lake import Lake
    from conversion_platform.settings import Settings
    from conversion_platform.training import RankingModel

BUCKET_PAIRS = 2_000_000
"""Upper bound for the candidate pairs of one bucket (ids and score held in memory)."""

_USERS = "_eligible_users"
_JOBS = "_open_jobs"


@dataclass(frozen=True)
class Predicted(Written):
    """One day's partition of predictions and how it came about.

    Attributes:
        model_version: The version that scored.
        eligible_users: Users that could get a job.
        open_jobs: Jobs open at the day's start.
        scored_pairs: Candidate pairs scored.
        users_with_predictions: Eligible users with at least one candidate.
        message: What a reader should know; empty when all is as usual.
    """

    model_version: str
    eligible_users: int
    open_jobs: int
    scored_pairs: int
    users_with_predictions: int
    message: str


def predict_days(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    settings: Settings,
    days: DayRange,
    version: str,
) -> list[Predicted]:
    """Writes DAILY_PREDICTIONS for each of `days` with one model version.

    A day without eligible users or open jobs gets an empty partition, and a message saying so.

    Raises:
        NotReadyError: the sources, or the features of one of the days, are missing.
        RegistryError: the model version is missing or damaged.
    """
    for table in (USERS, JOBS):
        lake.require(table)
    for table in (USER_FEATURES, JOB_FEATURES):
        lake.require(table, days)
    model = load_model(lake, version, settings.platform.threads)
    return [_predict_day(con, lake, settings, model, day) for day in days]


def best_jobs(con: duckdb.DuckDBPyConnection, scored: pa.Table, k: int) -> pa.Table:
    """The k best rows of each user.

    Args:
        con: Any session.
        scored: user_id, job_id, score.
        k: Rows kept for a user.

    Returns:
        user_id, job_id, rank (1 = highest score; ties by job_id), score; ordered by user_id
        and rank.
    """
    con.register("_scored", scored)
    try:
        return con.sql(
            f"""SELECT user_id, job_id,
                    (row_number() OVER best)::INTEGER AS rank, score
                FROM _scored
                WINDOW best AS (PARTITION BY user_id ORDER BY score DESC, job_id)
                QUALIFY row_number() OVER best <= {k}
                ORDER BY user_id, rank"""
        ).to_arrow_table()
    finally:
        con.unregister("_scored")


def _predict_day(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    settings: Settings,
    model: RankingModel,
    day: date,
) -> Predicted:
    users, jobs = _prepare(con, lake, settings, day)
    try:
        with lake.storage.staged() as path:
            pairs = _write_best(con, lake, settings, model, day, path, users, jobs)
            written = lake.write(con, DAILY_PREDICTIONS, _final_query(path, model, day), day)
            kept = _count(con, f"(SELECT DISTINCT user_id FROM read_parquet({quoted(str(path))}))")
    finally:
        con.execute(f"DROP TABLE IF EXISTS {_USERS}")
        con.execute(f"DROP TABLE IF EXISTS {_JOBS}")
    return Predicted(
        written.table,
        day,
        written.rows,
        written.bytes,
        model.card.version,
        users,
        jobs,
        pairs,
        kept,
        _message(settings, day, users, jobs, kept),
    )


def _prepare(
    con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, day: date
) -> tuple[int, int]:
    """Puts both sides of the pairs in place; returns how many users and jobs there are."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {_USERS} AS
            SELECT *, row_number() OVER (ORDER BY user_id) - 1 AS place
            FROM ({eligible_users_query(lake, settings, day)})"""
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE {_JOBS} AS {open_jobs_query(lake, settings, day)}")
    return _count(con, _USERS), _count(con, _JOBS)


def _buckets(users: int, jobs: int, most_candidates: int) -> Iterator[tuple[int, int]]:
    """Ranges of places (first, one past the last) that keep to BUCKET_PAIRS."""
    if not jobs:
        return
    size = max(1, BUCKET_PAIRS // min(jobs, most_candidates))
    for first in range(0, users, size):
        yield first, min(first + size, users)


def _write_best(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    settings: Settings,
    model: RankingModel,
    day: date,
    path: Path,
    users: int,
    jobs: int,
) -> int:
    """Writes the best k of all users to `path`; returns how many pairs were scored."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("user_id", pa.string()),
            ("job_id", pa.string()),
            ("rank", pa.int32()),
            ("score", pa.float32()),
            ("probability", pa.float32()),
        ]
    )
    pairs = 0
    with pq.ParquetWriter(path, schema) as writer:
        for first, end in _buckets(users, jobs, settings.predictions.max_candidates):
            chosen = f"(SELECT * FROM {_USERS} WHERE place >= {first} AND place < {end})"
            candidates = pairs_query(settings, chosen, _JOBS, day)
            scored = _scored(con, lake, settings, model, candidates, day)
            pairs += scored.num_rows
            best = best_jobs(con, scored, settings.predictions.top_k)
            probability = pa.array(model.calibrate(best["score"].to_numpy()), pa.float32())
            writer.write_table(best.append_column("probability", probability).cast(schema))
    return pairs


def _scored(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    settings: Settings,
    model: RankingModel,
    candidates: str,
    day: date,
) -> pa.Table:
    """One bucket's pairs with their scores: user_id, job_id, score."""
    import pyarrow as pa

    columns = {"user_id": pa.string(), "job_id": pa.string(), "score": pa.float32()}
    batches = [
        batch.select(list(columns))
        for batch in score_batches(con, lake, settings, model, candidates, DayRange.of(day))
    ]
    return pa.Table.from_batches(batches, pa.schema(list(columns.items())))


def _final_query(path: Path, model: RankingModel, day: date) -> str:
    return f"""
        SELECT user_id, job_id, rank, score, probability,
            {quoted(model.card.version)} AS model_version, DATE '{day.isoformat()}' AS features_day
        FROM read_parquet({quoted(str(path))})"""


def _message(settings: Settings, day: date, users: int, jobs: int, kept: int) -> str:
    if not users:
        return (
            f"No eligible user on {day}: none joined, or has an event, in the "
            f"{settings.predictions.active_days} days before. Look at the users and events "
            "of these days, or raise predictions.active_days."
        )
    if not jobs:
        return f"No open job on {day}. Look at opened_at and closed_at of the jobs."
    if kept < users:
        return (
            f"{users - kept} of {users} eligible users have no candidate job on {day} "
            f"(predictions.candidates = {settings.predictions.candidates!r})."
        )
    return ""


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])
