"""Writes the registry to MLflow: a run for each version, with settings, figures and files.

The registry stays what counts: MLflow gets a copy to look at. A version that is there gets its new
evaluations and roles only.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import RegistryError
from conversion_platform.training.comparison import flat, roles_of
from conversion_platform.training.registry import (
    EvaluationRecord,
    evaluations,
    figures,
    provenance,
    read_file,
    require_whole,
    version_key,
    versions,
)

if TYPE_CHECKING:
    from conversion_platform.lake import Lake
    from conversion_platform.training.card import ModelCard

VERSION_TAG = "conversion_platform.version"
EVALUATIONS_TAG = "conversion_platform.evaluations"
ROLES_TAG = "conversion_platform.roles"
ADDED_FILES = ("importance.json", "provenance.json", "shap_summary.png")
INSTALL = "Install the extra: `pip install 'conversion-platform[mlflow]'`."


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        new: Versions that MLflow did not have.
        known: Versions that it had.
        evaluations: Evaluations that it did not have.
    """

    new: int
    known: int
    evaluations: int


def export_to_mlflow(lake: Lake, uri: str, experiment: str) -> Exported:
    """Write every version to an experiment of an MLflow tracking server or database.

    Raises:
        RegistryError: MLflow is not installed or refuses, or a version is damaged.
    """
    if find_spec("mlflow") is None:
        raise RegistryError("MLflow is not installed.", INSTALL)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it reports its use otherwise
    from mlflow import MlflowClient

    roles, new, judged = roles_of(lake), 0, 0
    names = versions(lake)
    with _readable(uri):
        client = MlflowClient(tracking_uri=uri)
        folder = _experiment(client, experiment)
        for version in names:
            run = _run_of(client, folder, version)
            if run is None:
                new += 1
                run = _add(client, folder, lake, require_whole(lake, version))
            client.set_tag(run.info.run_id, ROLES_TAG, ", ".join(roles.get(version, [])))
            judged += _add_evaluations(client, run, evaluations(lake, version))
    return Exported(new, len(names) - new, judged)


@contextmanager
def _readable(uri: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise RegistryError(
            f"MLflow at {uri} refused: {str(error).splitlines()[0]}",
            "Correct --uri: the address of a tracking server, or a database such as "
            "`sqlite:///mlflow.db`.",
        ) from error


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def _run_of(client: Any, experiment: str, version: str) -> Any | None:
    """Return the run of a version; one whose export was stopped half way is not counted."""
    found = client.search_runs(
        [experiment], f"tags.`{VERSION_TAG}` = '{version}' and attributes.status = 'FINISHED'"
    )
    return found[0] if found else None


def _add(client: Any, experiment: str, lake: Lake, card: ModelCard) -> Any:
    """Add a version without its evaluations; finished last, so that a killed export is repeated."""
    from mlflow.entities import Param

    came_from = provenance(lake, card.version)
    tags = {
        VERSION_TAG: card.version,
        EVALUATIONS_TAG: "0",
        "mlflow.source.git.commit": (came_from.commit if came_from else None) or "",
        "fingerprint": card.fingerprint,
    }
    run = client.create_run(
        experiment, start_time=_milliseconds(card.day), tags=tags, run_name=card.version
    )
    told = {**flat(card.settings), "day": card.day, "rounds": card.rounds, **card.libraries}
    client.log_batch(
        run.info.run_id, params=[Param(name, str(value)) for name, value in told.items()]
    )
    _add_files(client, run.info.run_id, lake, card)
    client.set_terminated(run.info.run_id, end_time=_milliseconds(card.day))
    return run


def _add_files(client: Any, run: str, lake: Lake, card: ModelCard) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("card.json", *card.files):
            data = lake.storage.read(version_key(card.version, name))
            (Path(folder) / name).write_bytes(data)
        for name in ADDED_FILES:
            added = read_file(lake, card.version, name)
            if added is not None:
                (Path(folder) / name).write_bytes(added)
        client.log_artifacts(run, folder)


def _add_evaluations(client: Any, run: Any, records: list[EvaluationRecord]) -> int:
    """Add the evaluations that a run does not have, each as a step; return how many."""
    known = int(run.data.tags.get(EVALUATIONS_TAG, 0))
    missing = [one for one in records if one.number > known]
    for one in missing:
        client.log_batch(run.info.run_id, metrics=list(_metrics(one)))
        client.set_tag(run.info.run_id, EVALUATIONS_TAG, str(one.number))
    return len(missing)


def _metrics(record: EvaluationRecord) -> Iterator[Any]:
    from mlflow.entities import Metric

    at = _milliseconds(record.judged_on)
    for one in figures(record.evaluation):
        parts = (
            (one.name, one.value),
            (f"{one.name}_low", one.low),
            (f"{one.name}_high", one.high),
        )
        for name, value in parts:
            if value is not None:
                yield Metric(name, value, at, record.number)


def _milliseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
