"""The panel on which drift is measured: a fixed sample of candidate pairs.

The day's predictions are selected by the model, and the training examples by recruiters, so they
differ even without drift. Therefore both sides are drawn by one rule from all candidate pairs of
their day: the eligible users whose hashed ids come first, each with a few jobs drawn by hash. Users
stay in the panel, so that two days without drift differ by little more than what these users did
between them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.errors import NotReadyError, RegistryError
from conversion_platform.features import pair_query
from conversion_platform.inference import (
    eligible_users_query,
    open_jobs_query,
    pairs_query,
)
from conversion_platform.lake import Session, registered
from conversion_platform.marketplace import require_history
from conversion_platform.training import add_file, read_file

if TYPE_CHECKING:
    import pyarrow as pa

    from conversion_platform.training import RankingModel

REFERENCE = "reference.parquet"
SCORE = "score"


def sample(session: Session, model: RankingModel, days: DayRange) -> pa.Table:
    """Return the panel's candidate pairs of each of `days`: dt, the model's features, and `score`.

    At most `drift.sample_rows` rows a day, the same ones in each run, without ids of users or jobs.

    Raises:
        NotReadyError: sources, or the features of one of those days, are missing.
    """
    import pyarrow as pa

    require_history(session.lake)
    spec = model.card.spec
    names = ", ".join(f'"{feature.name}"' for feature in spec.features)
    # Stored in a table, because the query of the features reads its pairs more than once.
    panels = [session.con.sql(_panel(session, day)).to_arrow_table() for day in days]
    with registered(session.con, "_panel", pa.concat_tables(panels)):
        features = pair_query(session, spec, "_panel", days)
        rows = session.con.sql(
            f"SELECT dt, {names} FROM ({features}) ORDER BY dt, user_id, job_id"
        ).to_arrow_table()
    return rows.append_column(SCORE, [model.predict(rows)])


def _panel(session: Session, day: date) -> str:
    """Return SQL for the panel's pairs: user_id, job_id, dt. With few users each has more jobs."""
    most = session.settings.drift.sample_rows
    return f"""
        WITH panel AS (
            SELECT * FROM ({eligible_users_query(session, day)})
            ORDER BY md5_number_lower(user_id), user_id LIMIT {most}
        ),
        open_jobs AS ({open_jobs_query(session, day)}),
        ranked AS (
            SELECT *, row_number() OVER (
                PARTITION BY user_id ORDER BY md5_number_lower(user_id || '|' || job_id), job_id
            ) AS job_rank
            FROM ({pairs_query(session.settings, "panel", "open_jobs", day)})
        )
        SELECT user_id, job_id, dt FROM ranked
        ORDER BY job_rank, md5_number_lower(user_id), user_id, job_id LIMIT {most}"""


def write_reference(session: Session, model: RankingModel) -> int:
    """Add the reference to the model's version: one panel for each of its test days.

    Returns:
        Rows written.

    Raises:
        NotReadyError: the features of those days are missing.
    """
    import pyarrow.parquet as pq

    rows = sample(session, model, model.card.test_days)
    with session.lake.storage.staged() as path:
        pq.write_table(rows, path, compression="zstd")
        add_file(session.lake, model.card.version, REFERENCE, path.read_bytes())
    return int(rows.num_rows)


def reference(session: Session, model: RankingModel, day: date) -> pa.Table:
    """Return the reference rows that `day` is compared with.

    These are the rows of the same weekday, if the test days include it. The sample is written at
    first use, and again if its file cannot be read.

    Raises:
        NotReadyError: the sample and the features that it is made from are missing.
    """
    rows = _stored(session, model)
    if rows is None:
        write_reference(session, model)
        rows = _stored(session, model)
    if rows is None:
        raise NotReadyError(
            f"The drift reference of model {model.card.version} cannot be read back.",
            "Check the disk that holds platform.lake, then run the day again.",
        )
    return _same_weekday(rows, day)


def _stored(session: Session, model: RankingModel) -> pa.Table | None:
    """Return the whole stored sample; None if it is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        data = read_file(session.lake, model.card.version, REFERENCE)
    except RegistryError:
        return None
    if data is None:
        return None
    stored = pq.read_table(pa.BufferReader(data))
    expected = {*(feature.name for feature in model.card.spec.features), "dt", SCORE}
    return stored if expected <= set(stored.column_names) else None


def _same_weekday(rows: pa.Table, day: date) -> pa.Table:
    days: Iterable[date] = rows.column("dt").to_pylist()
    alike = [index for index, item in enumerate(days) if item.weekday() == day.weekday()]
    return rows.take(alike) if alike else rows
