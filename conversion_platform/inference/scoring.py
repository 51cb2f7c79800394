"""Scores pairs as a stream: DuckDB joins the features, Arrow carries them, XGBoost predicts.

Batches are scored one after another and only the pair's own columns are kept, so memory does
not grow with the number of pairs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from conversion_platform.features import pair_query
from conversion_platform.lake import Select, Session

if TYPE_CHECKING:
    import pyarrow as pa

    from conversion_platform.days import DayRange
    from conversion_platform.training import RankingModel

BATCH_ROWS = 16_384


def score_pairs(
    session: Session, model: RankingModel, pairs: str, days: DayRange
) -> Iterator[pa.RecordBatch]:
    """Scores any pairs of user and job on any days.

    Args:
        session: Settings, lake and DuckDB connection.
        model: A model of the registry.
        pairs: Relation name or SQL query with user_id, job_id, dt and any further columns.
            Every pair is scored as if shown in the first slot.
        days: The days that `dt` takes.

    Yields:
        Batches with the columns of `pairs` plus score (raw) and probability (calibrated),
        both float32, in no particular order.
    """
    import pyarrow as pa

    for batch in score_batches(session, model, pairs, days):
        probability = model.calibrate(batch["score"].to_numpy())
        yield batch.append_column("probability", pa.array(probability, pa.float32()))


def score_batches(
    session: Session,
    model: RankingModel,
    pairs: str,
    days: DayRange,
    select: Select | None = None,
) -> Iterator[pa.RecordBatch]:
    """As `score_pairs`, without the calibrated probability; `select` as in `pair_query`.

    `platform.threads` batches are scored at a time, each by one thread if the model was loaded
    with one: XGBoost's own threads wait for each other after every batch, which costs a multiple
    of the time on a busy machine.
    """
    import pyarrow as pa

    relation = f"({pairs})" if " " in pairs.strip() else pairs
    columns = session.con.sql(f"SELECT * FROM {relation} LIMIT 0").columns
    query = pair_query(session, model.card.spec, relation, days, select)

    def scored(batch: pa.RecordBatch) -> pa.RecordBatch:
        scores = pa.array(model.predict(batch), pa.float32())
        return batch.select(columns).append_column("score", scores)

    with ThreadPoolExecutor(session.settings.platform.threads) as pool:
        under_way: deque[Future[pa.RecordBatch]] = deque()
        for batch in session.con.sql(query).to_arrow_reader(BATCH_ROWS):
            under_way.append(pool.submit(scored, batch))
            if len(under_way) > session.settings.platform.threads:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
