"""Render Evidently's drift of columns as one page."""

from __future__ import annotations

import re
import uuid
import warnings
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NUMERIC, CATEGORICAL = "wasserstein", "jensenshannon"
RANDOM_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|metric_[0-9a-f]{32}"
)


def page(
    today: pd.DataFrame,
    reference: pd.DataFrame,
    numeric: list[str],
    categorical: list[str],
    threshold: float,
    day: date,
) -> bytes:
    """Return Evidently's `ValueDrift` of each column as a page that opens without a network.

    The preset for whole tables is not used: its headline judges the columns of the page by a
    threshold of its own, and said "Dataset Drift is detected" on days that passed the check.
    The methods are fixed (distances, whatever the number of rows): left to itself Evidently
    takes p-values for small samples, for which the same threshold means the opposite.
    """
    # Importing evidently takes 5 to 10 s and warns about its dependencies.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import ValueDrift

        definition = DataDefinition(numerical_columns=numeric, categorical_columns=categorical)
        methods = dict.fromkeys(numeric, NUMERIC) | dict.fromkeys(categorical, CATEGORICAL)
        drifts = [
            ValueDrift(column=column, method=method, threshold=threshold)
            for column, method in methods.items()
        ]
        snapshot = Report(drifts).run(
            Dataset.from_pandas(today, data_definition=definition),
            Dataset.from_pandas(reference, data_definition=definition),
            timestamp=datetime.combine(day, time.min, UTC),
        )
        return stable_ids(snapshot.get_html_str(as_iframe=False))


def stable_ids(html: str) -> bytes:
    """Return the page with numbers for its random ids: the same figures give the same bytes."""
    numbered: dict[str, str] = {}

    def replaced(match: re.Match[str]) -> str:
        found = match.group()
        return numbered.setdefault(found, _numbered(found, len(numbered)))

    return RANDOM_ID.sub(replaced, html).encode()


def _numbered(found: str, number: int) -> str:
    same_each_time = uuid.UUID(int=number)
    return f"metric_{same_each_time.hex}" if found.startswith("metric_") else str(same_each_time)
