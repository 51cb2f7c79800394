"""The day's drift report: the day's candidate pairs against the model's test days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from conversion_platform.days import DayRange
from conversion_platform.errors import NotReadyError
from conversion_platform.inference import DAILY_PREDICTIONS
from conversion_platform.lake import Session, Written, registered
from conversion_platform.monitoring.distances import categorical_distance, numeric_distance
from conversion_platform.monitoring.evidently_report import page
from conversion_platform.monitoring.panel import SCORE, reference, sample
from conversion_platform.monitoring.tables import DRIFT
from conversion_platform.training import champion, load_model

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from conversion_platform.settings import Settings
    from conversion_platform.training import RankingModel

MISSING = "(missing)"
PAGE_COLUMNS = 12  # Evidently takes 0.2 s for each


@dataclass(frozen=True)
class ColumnDrift:
    """The drift of one column.

    Attributes:
        name: Feature, or 'score'.
        kind: 'numeric' or 'categorical'.
        statistic: Distance from the reference; None if either side has no value.
        missing_today: Share without a value.
        missing_reference: Share of the reference without a value.
        drifted: Whether distance or change of the missing share reaches the threshold.
    """

    name: str
    kind: str
    statistic: float | None
    missing_today: float
    missing_reference: float
    drifted: bool


@dataclass(frozen=True)
class DriftReport:
    """One day compared with the model's test days.

    Attributes:
        day: The monitored day.
        model_version: The model that scored it.
        share_drifted: Drifted columns over all columns.
        columns: Distance of each column that has one, largest first.
        drifted: Whether the share is above `drift.max_drifted_share`.
        html: Evidently's page.
        key: Storage key of the page.
        details: All columns, with missing shares.
        rows_today: Pairs of the day; 0 if there are none.
        rows_reference: Pairs of the reference.
        bytes: Size of the partition that was written.
    """

    day: date
    model_version: str
    share_drifted: float
    columns: dict[str, float]
    drifted: bool
    html: bytes
    key: str
    details: tuple[ColumnDrift, ...]
    rows_today: int
    rows_reference: int
    bytes: int = 0


def drift_report(session: Session, day: date) -> DriftReport:
    """Compare the day's candidate pairs and their scores with the model's test days.

    Write the partition of `drift` and the page `reports/drift/dt=<day>/report.html`. A day
    without eligible users or open jobs has no pairs to compare and has not drifted.

    Raises:
        NotReadyError: predictions or features of the day are missing, or no model scored it.
        RegistryError: the model's version is missing or damaged.
    """
    session.lake.require(DAILY_PREDICTIONS, [day])
    model = load_model(session.lake, _serving(session, day), session.settings.platform.threads)
    today = sample(session, model, DayRange.of(day))
    before = reference(session, model, day)
    details: tuple[ColumnDrift, ...] = ()
    html = _nothing_to_compare(day)
    if today.num_rows and before.num_rows:
        details = _compared(session.settings, model, today, before)
        html = _page(session.settings, details, today, before, day)
    report = _report(session.settings, day, model, details, html, today.num_rows, before.num_rows)
    session.lake.storage.replace(report.key, report.html)
    return replace(report, bytes=_write(session, report).bytes)


def report_key(day: date) -> str:
    """Return the storage key of a day's page."""
    return f"reports/drift/dt={day.isoformat()}/report.html"


def _serving(session: Session, day: date) -> str:
    """Return the model that made the day's predictions; the champion if there are none."""
    predictions = session.lake.select(DAILY_PREDICTIONS, DayRange.of(day))
    rows = session.con.sql(f"SELECT max(model_version) FROM {predictions}").fetchall()
    version = rows[0][0] or champion(session.lake, day)
    if version is None:
        raise NotReadyError(
            f"No model scored {day}: it has no predictions and no champion.",
            "Train and promote a model first (`conversion-platform run` does both).",
        )
    return str(version)


def _compared(
    settings: Settings, model: RankingModel, today: pa.Table, before: pa.Table
) -> tuple[ColumnDrift, ...]:
    """Return the drift of every feature and of the score, by name."""
    kinds = {feature.name: feature.kind for feature in model.card.spec.features}
    kinds[SCORE] = "numeric"
    return tuple(
        _column(settings, name, kind, today.column(name), before.column(name))
        for name, kind in sorted(kinds.items())
    )


def _column(
    settings: Settings, name: str, kind: str, today: pa.ChunkedArray, before: pa.ChunkedArray
) -> ColumnDrift:
    """Return the drift of a column: by its distance, or by its missing share."""
    missing = (today.null_count / len(today), before.null_count / len(before))
    statistic = None
    if max(missing) < 1.0:
        statistic = _distance(kind, today, before)
    moved = max(statistic or 0.0, abs(missing[0] - missing[1]))
    drifted = moved >= settings.drift.statistic_threshold
    return ColumnDrift(name, kind, statistic, missing[0], missing[1], drifted)


def _distance(kind: str, today: pa.ChunkedArray, before: pa.ChunkedArray) -> float:
    if kind == "categorical":
        return categorical_distance(today, before)
    return numeric_distance(today.drop_null().to_numpy(), before.drop_null().to_numpy())


def _page(
    settings: Settings,
    details: tuple[ColumnDrift, ...],
    today: pa.Table,
    before: pa.Table,
    day: date,
) -> bytes:
    """Return Evidently's page of the columns with the largest distances, and a note on the rest."""
    shown = _by_distance(details)[:PAGE_COLUMNS]
    numeric = [column.name for column in shown if column.kind == "numeric"]
    categorical = [column.name for column in shown if column.kind == "categorical"]
    html = page(
        _frame(today, numeric, categorical),
        _frame(before, numeric, categorical),
        numeric,
        categorical,
        settings.drift.statistic_threshold,
        day,
    )
    return html.replace(b"<body>", b"<body>" + _headline(settings, details, len(shown), day), 1)


def _headline(settings: Settings, details: tuple[ColumnDrift, ...], shown: int, day: date) -> bytes:
    """Return the verdict of the check `drift_within_limits`, and what the page leaves out."""
    share, limit = _share(details), settings.drift.max_drifted_share
    verdict = "above the limit" if share > limit else "within the limit"
    drifted = sum(column.drifted for column in details)
    return (
        "<div style='font-family:sans-serif;margin:1em'>"
        f"<h1>Drift on {day} is {verdict}</h1>"
        f"<p>{drifted} of {len(details)} columns drifted ({share:.0%}); the limit is {limit:.0%}. "
        f"Below are the {shown} columns that moved most. The table <code>drift</code> has all of "
        "them.</p></div>"
    ).encode()


def _share(details: tuple[ColumnDrift, ...]) -> float:
    """Return the share of columns that drifted."""
    return sum(column.drifted for column in details) / max(len(details), 1)


def _frame(rows: pa.Table, numeric: list[str], categorical: list[str]) -> pd.DataFrame:
    """Return the columns as pandas; a missing category is a separate category."""
    frame: pd.DataFrame = rows.select([*numeric, *categorical]).to_pandas()
    for name in categorical:
        frame[name] = frame[name].fillna(MISSING)
    return frame


def _by_distance(details: tuple[ColumnDrift, ...]) -> list[ColumnDrift]:
    """Return the columns with a distance, largest first."""
    measured = [column for column in details if column.statistic is not None]
    return sorted(measured, key=lambda column: (-(column.statistic or 0.0), column.name))


def _report(
    settings: Settings,
    day: date,
    model: RankingModel,
    details: tuple[ColumnDrift, ...],
    html: bytes,
    rows_today: int,
    rows_reference: int,
) -> DriftReport:
    share = _share(details)
    return DriftReport(
        day=day,
        model_version=model.card.version,
        share_drifted=share,
        columns={column.name: column.statistic or 0.0 for column in _by_distance(details)},
        drifted=share > settings.drift.max_drifted_share,
        html=html,
        key=report_key(day),
        details=details,
        rows_today=rows_today,
        rows_reference=rows_reference,
    )


def _nothing_to_compare(day: date) -> bytes:
    return (
        "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Drift</title>"
        f"<p>On {day} there was no eligible user with an open job, so nothing was compared.</p>"
        "</html>\n"
    ).encode()


def _write(session: Session, report: DriftReport) -> Written:
    import pyarrow as pa

    columns: dict[str, list[Any]] = {
        "column_name": [column.name for column in report.details],
        "kind": [column.kind for column in report.details],
        "statistic": [column.statistic for column in report.details],
        "missing_today": [column.missing_today for column in report.details],
        "missing_reference": [column.missing_reference for column in report.details],
        "drifted": [column.drifted for column in report.details],
    }
    types = ["VARCHAR", "VARCHAR", "DOUBLE", "DOUBLE", "DOUBLE", "BOOLEAN"]
    listed = ", ".join(
        f"{name}::{type_} AS {name}" for name, type_ in zip(columns, types, strict=True)
    )
    with registered(session.con, "_drift", pa.table(columns)):
        return session.lake.write(
            session.con,
            DRIFT,
            f"SELECT {listed}, {session.settings.drift.statistic_threshold}::DOUBLE AS threshold, "
            f"{report.rows_today}::BIGINT AS rows_today, "
            f"{report.rows_reference}::BIGINT AS rows_reference, "
            f"'{report.model_version}' AS model_version FROM _drift",
            report.day,
        )
