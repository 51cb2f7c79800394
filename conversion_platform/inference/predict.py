"""The day's predictions: every eligible user's best jobs, scored in one streaming pass.

Users go through in buckets of neighbouring ids. A bucket's pairs are scored batch by batch and
cut to the best k of each user before the next bucket starts, so memory depends on the bucket
and not on the number of users.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange, counted
from conversion_platform.features import JOB_FEATURES, USER_FEATURES, pair_history_days
from conversion_platform.inference.buckets import Bucket, buckets, narrowed, sort_events
from conversion_platform.inference.candidates import (
    eligible_users_query,
    open_jobs_query,
    pairs_query,
)
from conversion_platform.inference.scoring import score_batches
from conversion_platform.inference.tables import DAILY_PREDICTIONS
from conversion_platform.lake import (
    Session,
    Written,
    file_sql,
    quoted,
    readable_disk_errors,
    registered,
)
from conversion_platform.marketplace import require_history
from conversion_platform.process import with_progress
from conversion_platform.training import load_model

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import pyarrow as pa

    from conversion_platform.settings import Settings
    from conversion_platform.training import RankingModel

BUCKET_PAIRS = 2_000_000
"""About how many candidate pairs one bucket has (ids and scores are held in memory)."""

SAMPLED_USERS = 1000

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


def predict_days(session: Session, days: DayRange, version: str) -> list[Predicted]:
    """Write DAILY_PREDICTIONS for each of `days` with one model version.

    A day without eligible users or open jobs gets an empty partition, and a message saying so.

    Raises:
        NotReadyError: the sources, or the features of one of the days, are missing.
        RegistryError: the model version is missing or damaged.
    """
    require_history(session.lake)
    for table in (USER_FEATURES, JOB_FEATURES):
        session.lake.require(table, days)
    model = load_model(session.lake, version, threads=1)
    return [_predict_day(session, model, day) for day in with_progress(days)]


def best_jobs(con: duckdb.DuckDBPyConnection, scored: pa.Table, k: int) -> pa.Table:
    """Return the k best rows of each user.

    Args:
        con: Any session.
        scored: user_id, job_id, score.
        k: Rows kept for a user.

    Returns:
        user_id, job_id, rank (1 = highest score; ties by job_id), score; ordered by user_id
        and rank.
    """
    with registered(con, "_scored", scored):
        return con.sql(
            f"""SELECT user_id, job_id,
                    (row_number() OVER best)::INTEGER AS rank, score
                FROM _scored
                WINDOW best AS (PARTITION BY user_id ORDER BY score DESC, job_id)
                QUALIFY row_number() OVER best <= {k}
                ORDER BY user_id, rank"""
        ).to_arrow_table()


def _predict_day(session: Session, model: RankingModel, day: date) -> Predicted:
    users, jobs = _prepare(session, day)
    try:
        with session.lake.storage.staged() as path:
            pairs, kept = _write_best(session, model, day, path)
            written = session.lake.write(
                session.con, DAILY_PREDICTIONS, _final_query(path, model, day), day
            )
    finally:
        session.con.execute(f"DROP TABLE IF EXISTS {_USERS}")
        session.con.execute(f"DROP TABLE IF EXISTS {_JOBS}")
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
        _message(session.settings, day, users, jobs, kept),
    )


def _prepare(session: Session, day: date) -> tuple[int, int]:
    """Put both sides of the pairs in place; returns how many users and jobs there are."""
    for name, query in (
        (_USERS, eligible_users_query(session, day)),
        (_JOBS, open_jobs_query(session, day)),
    ):
        session.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
    return _count(session.con, _USERS), _count(session.con, _JOBS)


def _bucket_size(session: Session, day: date) -> int:
    """Users in a bucket, so that it has about BUCKET_PAIRS pairs; from a sample of users."""
    sample = f"(SELECT * FROM {_USERS} ORDER BY md5(user_id) LIMIT {SAMPLED_USERS})"
    pairs = _count(session.con, f"({pairs_query(session.settings, sample, _JOBS, day)})")
    sampled = _count(session.con, sample)
    return max(1, BUCKET_PAIRS * sampled // max(1, pairs))


def _write_best(session: Session, model: RankingModel, day: date, path: Path) -> tuple[int, int]:
    """Write the best k of all users to `path`.

    Returns:
        How many pairs were scored, and how many users have a prediction.
    """
    import pyarrow.parquet as pq

    schema = _schema()
    pairs = kept = 0
    size = _bucket_size(session, day)
    with (
        readable_disk_errors(session.lake.storage.root),
        session.lake.storage.staged() as sorted_file,
        pq.ParquetWriter(path, schema) as writer,
    ):
        looked_back_to = pair_history_days(session.settings, DayRange.of(day))
        events = sort_events(session, looked_back_to, sorted_file)
        for bucket in buckets(session.con, _USERS, size):
            scored = _scored(session, model, bucket, events, day)
            best = best_jobs(session.con, scored, session.settings.predictions.top_k)
            writer.write_table(_calibrated(model, best).cast(schema))
            pairs += scored.num_rows
            kept += int((best["rank"].to_numpy() == 1).sum())
    return pairs, kept


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            ("user_id", pa.string()),
            ("job_id", pa.string()),
            ("rank", pa.int32()),
            ("score", pa.float32()),
            ("probability", pa.float32()),
        ]
    )


def _scored(
    session: Session, model: RankingModel, bucket: Bucket, events: str, day: date
) -> pa.Table:
    """One bucket's pairs with their scores: user_id, job_id, score."""
    import pyarrow as pa

    columns = {"user_id": pa.string(), "job_id": pa.string(), "score": pa.float32()}
    chosen = f"(SELECT * FROM {_USERS} WHERE {bucket.holds()})"
    candidates = pairs_query(session.settings, chosen, _JOBS, day)
    select = narrowed(session.lake, bucket, events)
    batches = [
        batch.select(list(columns))
        for batch in score_batches(session, model, candidates, DayRange.of(day), select)
    ]
    return pa.Table.from_batches(batches, pa.schema(list(columns.items())))


def _calibrated(model: RankingModel, best: pa.Table) -> pa.Table:
    import pyarrow as pa

    probability = model.calibrate(best["score"].to_numpy())
    return best.append_column("probability", pa.array(probability, pa.float32()))


def _final_query(path: Path, model: RankingModel, day: date) -> str:
    return f"""
        SELECT user_id, job_id, rank, score, probability,
            {quoted(model.card.version)} AS model_version, DATE '{day.isoformat()}' AS features_day
        FROM read_parquet({file_sql(path)})"""


def _message(settings: Settings, day: date, users: int, jobs: int, kept: int) -> str:
    if not users:
        return (
            f"No eligible user on {day}: none joined, or has an event, in the "
            f"{counted(settings.predictions.active_days)} before. Look at the users and events "
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
