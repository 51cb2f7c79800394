"""Judges versions on test examples, and keeps each evaluation beside the others of the version."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange
from conversion_platform.training.fitting import evaluate
from conversion_platform.training.registry import (
    EvaluationRecord,
    evaluations,
    record_evaluation,
)
from conversion_platform.training.tables import TRAINING_EXAMPLES

if TYPE_CHECKING:
    from conversion_platform.lake import Session


def judge(
    session: Session, version: str, judged_on: date, examples_day: date | None = None
) -> EvaluationRecord:
    """Return a version's evaluation on the test examples of a day, made now unless it was before.

    Args:
        session: Settings, lake and DuckDB connection.
        version: The version.
        judged_on: The current day.
        examples_day: Day of the training whose test examples are used; `judged_on` if not given.

    Raises:
        NotReadyError: the examples of that day are missing.
        RegistryError: the version, or one of its evaluations, is missing or damaged.
        TrainingError: the examples lack a feature of the model.
    """
    chosen = examples_day or judged_on
    session.lake.require(TRAINING_EXAMPLES, [chosen])
    examples = examples_digest(session, chosen)
    for one in evaluations(session.lake, version):
        if one.examples == examples and one.evaluation.k == session.settings.training.map_k:
            return one
    evaluation = evaluate(session, version, chosen)
    return record_evaluation(session.lake, evaluation, chosen, examples, judged_on)


def examples_digest(session: Session, day: date) -> str:
    """Return a digest of the test examples of a day: which rows they are, and their labels.

    Features are not in it: models with other features are judged on the same rows.
    """
    examples = session.lake.select(TRAINING_EXAMPLES, DayRange.of(day))
    ((rows, total),) = session.con.execute(
        "SELECT count(*), sum(md5_number_lower(concat_ws(chr(31), user_id, job_id, slate, "
        "epoch_us(shown_at), coalesce(position, -1), clicked, converted))::HUGEINT) "
        f"FROM {examples} WHERE split = 'test'"
    ).fetchall()
    return hashlib.sha256(f"{rows} {total}".encode()).hexdigest()
