"""Versions in MLflow. What needs MLflow itself runs where the extra is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conversion_platform.days import ONE_DAY
from conversion_platform.errors import RegistryError
from conversion_platform.lake import Lake, Session
from conversion_platform.training import (
    evaluations,
    export,
    export_to_mlflow,
    fit_candidate,
    judge,
    promote,
    record_evaluation,
)
from conversion_platform_tests.training.test_examples import changed

if TYPE_CHECKING:
    from datetime import date

installed = pytest.mark.skipif(find_spec("mlflow") is None, reason="the extra mlflow")
# MLflow's own: its database layer asks for features that SQLAlchemy and pydantic deprecate.
quiet = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def version(session: Session, day: date) -> str:
    few = changed(session.settings, "training", trees=5)
    session = Session(few, session.lake, session.con)
    version = fit_candidate(session, day).version
    judge(session, version, day)
    promote(session.lake, version, day, "first")
    return version


def test_without_mlflow_the_error_names_the_extra(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    with pytest.raises(RegistryError, match=r"conversion-platform\[mlflow\]"):
        export_to_mlflow(lake, "sqlite:///x.db", "e")


def runs_in(uri: str) -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name("ours")
    assert found is not None
    return list(client.search_runs([found.experiment_id]))


@installed
@quiet
def test_a_version_is_a_run_with_settings_figures_roles_and_files(
    lake: Lake, version: str, day: date, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    done = export_to_mlflow(lake, uri, "ours")
    assert (done.new, done.known, done.evaluations) == (1, 0, 1)
    (run,) = runs_in(uri)
    (record,) = evaluations(lake, version)
    assert run.info.run_name == version and run.info.status == "FINISHED"
    assert run.data.params["training.trees"] == "5"
    assert run.data.metrics["map_model"] == record.evaluation.map_model.value
    assert run.data.metrics["map_model_low"] == record.evaluation.map_model.low
    assert run.data.tags[export.ROLES_TAG] == "champion"
    client = MlflowClient(tracking_uri=uri)
    names = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"card.json", "model.ubj", "calibration.json", "provenance.json"} <= names


@installed
@quiet
def test_exporting_again_adds_only_what_is_new(
    lake: Lake, version: str, day: date, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    export_to_mlflow(lake, uri, "ours")
    (record,) = evaluations(lake, version)
    record_evaluation(lake, record.evaluation, day + ONE_DAY, "others", day + ONE_DAY)
    done = export_to_mlflow(lake, uri, "ours")
    assert (done.new, done.known, done.evaluations) == (0, 1, 1)
    assert export_to_mlflow(lake, uri, "ours").evaluations == 0
    assert len(runs_in(uri)) == 1


@installed
@quiet
def test_what_mlflow_refuses_is_told_with_the_address(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="refused"):
        export_to_mlflow(lake, f"file://{tmp_path}/runs", "ours")
