"""Explains the scores of a model: SHAP values of a fixed sample of the test examples."""

from __future__ import annotations

import io
import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conversion_platform.days import DayRange
from conversion_platform.errors import TrainingError
from conversion_platform.lake import Session, canonical_json
from conversion_platform.training.registry import IMPORTANCE, add_file, load_model, read_file
from conversion_platform.training.tables import TRAINING_EXAMPLES

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from conversion_platform.lake import Lake
    from conversion_platform.training.ranker import RankingModel

    Array = NDArray[Any]

SAMPLE_ROWS = 2000
SHOWN_FEATURES = 20
SUMMARY = "shap_summary.png"


@dataclass(frozen=True)
class Explanation:
    """The effect of each feature on the scores of a version.

    Attributes:
        version: The model's version.
        rows: Test examples that were explained.
        png: SHAP summary plot.
        top_features: (name, mean absolute SHAP value in log-odds), largest first.
    """

    version: str
    rows: int
    png: bytes
    top_features: tuple[tuple[str, float], ...]


def explain(session: Session, version: str) -> Explanation:
    """Explain a version on the test examples of its training; add plot and importance to it.

    Raises:
        NotReadyError: the version's examples are missing.
        RegistryError: the version is missing or damaged.
        TrainingError: the version has no test example.
    """
    model = load_model(session.lake, version, session.settings.platform.threads)
    session.lake.require(TRAINING_EXAMPLES, [model.card.day])
    sample = _sample(session, model)
    if not sample.num_rows:
        raise TrainingError(
            f"Model {version} has no test example to explain.",
            "Build the training examples of its day again.",
        )
    values = model.contributions(sample)[:, :-1]
    made = Explanation(
        version, sample.num_rows, _summary_plot(model, sample, values), _top(model, values)
    )
    add_file(session.lake, version, IMPORTANCE, _importance(made))
    add_file(session.lake, version, SUMMARY, made.png)
    return made


def importance(lake: Lake, version: str) -> tuple[tuple[str, float], ...]:
    """Return (input, mean absolute SHAP value in log-odds) of a version, largest first.

    Empty for a version that was not explained yet.

    Raises:
        RegistryError: the version's file is damaged.
    """
    data = read_file(lake, version, IMPORTANCE)
    listed = json.loads(data)["features"] if data else []
    return tuple((one["feature"], one["mean_abs_shap"]) for one in listed)


def _importance(made: Explanation) -> bytes:
    listed = [
        {"feature": name, "mean_abs_shap": value, "rank": rank}
        for rank, (name, value) in enumerate(made.top_features, 1)
    ]
    return canonical_json({"version": made.version, "rows": made.rows, "features": listed})


def _sample(session: Session, model: RankingModel) -> pa.Table:
    examples = session.lake.select(TRAINING_EXAMPLES, DayRange.of(model.card.day))
    table: pa.Table = session.con.sql(
        f"SELECT * FROM {examples} WHERE split = 'test' "
        "ORDER BY md5_number_lower(slate || '|' || job_id), slate, job_id, shown_at "
        f"LIMIT {SAMPLE_ROWS}"
    ).to_arrow_table()
    return table


def _top(model: RankingModel, values: Array) -> tuple[tuple[str, float], ...]:
    import numpy as np

    strength = np.abs(values).mean(axis=0)
    pairs = zip(model.card.columns, (round(float(value), 6) for value in strength), strict=True)
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def _summary_plot(model: RankingModel, sample: pa.Table, values: Array) -> bytes:
    """Return the plot as PNG; with a fixed sample and jitter its bytes are reproducible."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure()
    try:
        # shap 0.51 uses features of matplotlib that are deprecated; users cannot act on that.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _draw(values, model.encoder.matrix(sample), list(model.card.columns))
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=100, bbox_inches="tight")
        return drawn.getvalue()
    finally:
        plt.close(figure)


def _draw(values: Array, matrix: Array, names: list[str]) -> None:
    import numpy as np

    _shap().summary_plot(
        values,
        matrix,
        feature_names=names,
        max_display=SHOWN_FEATURES,
        show=False,
        rng=np.random.default_rng(0),
    )


def _shap() -> Any:
    """Return the module, imported in a separate thread.

    shap keeps the ImportErrors of its optional dependencies, and these keep every frame that led to
    its import: a DuckDB session in one of them would stay open until the process ends.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_import_shap).result()


def _import_shap() -> Any:
    import shap

    return shap
