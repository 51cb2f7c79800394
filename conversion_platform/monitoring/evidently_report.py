"""Evidently's drift preset behind one function: two tables in, statistics and a page out."""

from __future__ import annotations

import re
import uuid
import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

NUMERIC, CATEGORICAL = "wasserstein", "jensenshannon"
RANDOM_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|metric_[0-9a-f]{32}"
)


@dataclass(frozen=True)
class Compared:
    """Statistics by column, and Evidently's page."""

    statistics: dict[str, float]
    html: bytes


def compare(
    today: pd.DataFrame,
    reference: pd.DataFrame,
    numeric: list[str],
    categorical: list[str],
    threshold: float,
    most_drifted: float,
    day: date,
) -> Compared:
    """Runs `DataDriftPreset` over columns that hold values on both sides.

    The methods are fixed (distances, whatever the number of rows): left to itself Evidently
    takes p-values for small samples, for which the same threshold means the opposite.
    """
    # Importing evidently takes 5 to 10 s and warns about other people's packages.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

        definition = DataDefinition(numerical_columns=numeric, categorical_columns=categorical)
        preset = DataDriftPreset(
            columns=[*numeric, *categorical],
            num_method=NUMERIC,
            cat_method=CATEGORICAL,
            num_threshold=threshold,
            cat_threshold=threshold,
            drift_share=most_drifted,
        )
        snapshot = Report([preset]).run(
            Dataset.from_pandas(today, data_definition=definition),
            Dataset.from_pandas(reference, data_definition=definition),
            timestamp=datetime.combine(day, time.min, UTC),
        )
        return Compared(_statistics(snapshot), stable_ids(snapshot.get_html_str(as_iframe=False)))


def _statistics(snapshot: Any) -> dict[str, float]:
    """Distance of each column, rounded to what is stored."""
    return {
        metric["config"]["column"]: round(float(metric["value"]), 9)
        for metric in snapshot.dict()["metrics"]
        if metric["config"]["type"].endswith(":ValueDrift")
    }


def stable_ids(html: str) -> bytes:
    """The page with its random ids numbered in order: the same figures give the same bytes."""
    numbered: dict[str, str] = {}

    def replaced(match: re.Match[str]) -> str:
        found = match.group()
        return numbered.setdefault(found, _numbered(found, len(numbered)))

    return RANDOM_ID.sub(replaced, html).encode()


def _numbered(found: str, number: int) -> str:
    same_each_time = uuid.UUID(int=number)
    return f"metric_{same_each_time.hex}" if found.startswith("metric_") else str(same_each_time)
