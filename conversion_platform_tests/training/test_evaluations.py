"""A version is judged again without another name, and each figure says on which rows it rests."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conversion_platform.catalog import attach_views
from conversion_platform.days import ONE_DAY
from conversion_platform.errors import RegistryError
from conversion_platform.lake import Lake, Session, open_storage, quoted
from conversion_platform.settings import Settings
from conversion_platform.training import (
    TRAINING_EXAMPLES,
    Estimate,
    Evaluation,
    champion,
    damaged_files,
    evaluate,
    evaluations,
    examples_digest,
    explain,
    figures,
    fit_candidate,
    importance,
    judge,
    load_model,
    newest_evaluation,
    promote,
    provenance,
    read_file,
    record_evaluation,
    versions,
)
from conversion_platform_tests.training.test_examples import changed
from conversion_platform_tests.training.test_roles import DAY, flip, version_of

if TYPE_CHECKING:
    import duckdb

    from conversion_platform_tests.servers import S3Server


@pytest.fixture
def few(settings: Settings) -> Settings:
    return changed(settings, "training", trees=5)


@pytest.fixture
def judged(con: duckdb.DuckDBPyConnection, lake: Lake, few: Settings, day: date) -> str:
    """A version that was judged once."""
    session = Session(few, lake, con)
    version = fit_candidate(session, day).version
    judge(session, version, day)
    return version


def test_a_version_has_no_figures_before_it_is_judged(session: Session, day: date) -> None:
    version = fit_candidate(session, day).version
    assert newest_evaluation(session.lake, version) is None
    record = judge(session, version, day)
    assert newest_evaluation(session.lake, version) == record
    assert (record.number, record.examples_day, record.judged_on) == (1, day, day)
    assert record.evaluation == evaluate(session, version)


def test_judging_on_the_same_rows_again_adds_nothing(
    session: Session, judged: str, day: date
) -> None:
    first = newest_evaluation(session.lake, judged)
    assert judge(session, judged, day + ONE_DAY, day) == first
    assert evaluations(session.lake, judged) == [first]


def test_on_other_rows_it_is_judged_again_and_keeps_its_name(
    session: Session, judged: str, day: date
) -> None:
    lake, before = session.lake, versions(session.lake)
    without_last(session, day)
    record = judge(session, judged, day + ONE_DAY, day)
    assert record.number == 2
    assert [one.number for one in evaluations(lake, judged)] == [1, 2]
    assert evaluations(lake, judged)[0].examples != record.examples
    assert newest_evaluation(lake, judged) == record
    assert versions(lake) == before


def without_last(session: Session, day: date) -> None:
    """Takes one test example away."""
    examples = session.lake.select(TRAINING_EXAMPLES)
    session.con.execute(f"CREATE OR REPLACE TEMP TABLE kept AS FROM {examples} WHERE dt = '{day}'")
    session.con.execute(
        "DELETE FROM kept WHERE rowid = (SELECT max(rowid) FROM kept WHERE split = 'test')"
    )
    session.lake.write(session.con, TRAINING_EXAMPLES, "SELECT * EXCLUDE (dt) FROM kept", day)


def test_the_newest_figures_are_of_the_latest_day_or_of_the_examples_asked_for(
    lake: Lake, judged: str, day: date
) -> None:
    (first,) = evaluations(lake, judged)
    later = record_evaluation(lake, first.evaluation, day + ONE_DAY, "other rows", day + ONE_DAY)
    earlier = record_evaluation(lake, first.evaluation, day - ONE_DAY, "more rows", day - ONE_DAY)
    assert earlier.number == 3
    assert newest_evaluation(lake, judged) == later
    assert newest_evaluation(lake, judged, day) == first
    assert newest_evaluation(lake, judged, date(2020, 1, 1)) is None


def test_rows_and_labels_make_the_digest_and_features_do_not(session: Session, day: date) -> None:
    before = examples_digest(session, day)
    assert change(session, day, "0.5 AS job_conversion_rate_28d") == before
    assert change(session, day, "NOT converted AS converted") != before


def change(session: Session, day: date, replacement: str) -> str:
    """The digest after a column of the examples has other values."""
    key = session.lake.key(TRAINING_EXAMPLES, day)
    kept = session.lake.storage.read(key)
    examples = session.lake.select(TRAINING_EXAMPLES)
    session.con.execute(f"CREATE OR REPLACE TEMP TABLE kept AS FROM {examples} WHERE dt = '{day}'")
    query = f"SELECT * EXCLUDE (dt) REPLACE ({replacement}) FROM kept"
    session.lake.write(session.con, TRAINING_EXAMPLES, query, day)
    digest = examples_digest(session, day)
    session.lake.storage.replace(key, kept)
    return digest


@pytest.mark.parametrize("place", range(0, 2000, 97))
def test_a_flipped_byte_in_an_evaluation_is_named(lake: Lake, judged: str, place: int) -> None:
    flip(lake, f"models/evaluations/{judged}/000001.json", place)
    with pytest.raises(RegistryError, match="000001"):
        newest_evaluation(lake, judged)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_flipped_byte_in_any_file_of_a_version_is_named(
    session: Session, judged: str, day: date
) -> None:
    lake = session.lake
    explain(session, judged)
    assert damaged_files(lake, judged) == []
    keys = lake.storage.list(f"models/{judged}")
    assert {key.rpartition("/")[2] for key in keys} >= {
        "card.json",
        "model.ubj",
        "calibration.json",
        "provenance.json",
        "importance.json",
        "shap_summary.png",
    }
    for key in keys:
        whole, name = lake.storage.read(key), key.rpartition("/")[2]
        for place in (0, len(whole) // 3, len(whole) - 1):
            flip(lake, key, place)
            with pytest.raises(RegistryError, match=name.removesuffix(".sha256")):
                _read_like_a_user(lake, judged, name.removesuffix(".sha256"))
            lake.storage.replace(key, whole)
    assert damaged_files(lake, judged) == []


def _read_like_a_user(lake: Lake, version: str, name: str) -> None:
    load_model(lake, version)
    read_file(lake, version, name)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_sql_shows_versions_evaluations_and_importance_as_the_registry_has_them(
    session: Session, con: duckdb.DuckDBPyConnection, judged: str, day: date
) -> None:
    top = explain(session, judged).top_features
    attach_views(session)
    card = load_model(session.lake, judged).card
    found = con.sql("SELECT version, day, trees, inputs, train_rows FROM model_versions").fetchall()
    train = card.splits["train"].rows
    assert found == [(judged, day, card.rounds, len(card.columns), train)]
    (record,) = evaluations(session.lake, judged)
    found = con.sql(
        "SELECT figure, value, low, high FROM model_evaluations "
        f"WHERE version = {quoted(judged)} AND number = 1 AND judged_on = DATE '{day}'"
    ).fetchall()
    expected = [(one.name, one.value, one.low, one.high) for one in figures(record.evaluation)]
    assert sorted(found) == sorted(expected)
    listed = con.sql("SELECT feature, mean_abs_shap FROM feature_importance ORDER BY rank")
    assert tuple(listed.fetchall()) == top == importance(session.lake, judged)


def test_without_a_version_the_views_of_the_registry_have_their_columns_and_no_row(
    session: Session, con: duckdb.DuckDBPyConnection
) -> None:
    attach_views(session)
    for name in ("model_versions", "model_evaluations", "feature_importance"):
        assert con.sql(f"SELECT version FROM {name}").fetchall() == []


def test_a_version_says_which_code_and_which_files_it_comes_from(
    session: Session, judged: str, day: date
) -> None:
    found = provenance(session.lake, judged)
    assert found is not None
    told = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode != 0 or found.commit == told.stdout.strip()
    source = found.sources["training_examples"]
    size = session.lake.storage.size(session.lake.key(TRAINING_EXAMPLES, day))
    assert (source.partitions, source.bytes) == (1, size)
    assert found.sources["user_features"].partitions > 10


def test_the_figures_of_an_evaluation_are_those_that_are_one_number(
    lake: Lake, judged: str
) -> None:
    (record,) = evaluations(lake, judged)
    found = {one.name: one for one in figures(replace(record.evaluation, auc=None))}
    assert found["auc"].value is None and "calibration" not in found and "version" not in found
    assert found["map_model"].low is not None


UNKNOWN = Estimate(None, None, None)


@pytest.mark.parametrize("where", ["local", "s3"])
def test_roles_evaluations_and_views_are_the_same_on_s3(
    settings: Settings, tmp_path: Path, request: pytest.FixtureRequest, where: str
) -> None:
    storage = open_storage(str(tmp_path / "other"))
    if where == "s3":
        server: S3Server = request.getfixturevalue("s3")
        storage = open_storage(f"s3://{server.new_bucket()}/lake", server.files())
    lake = Lake(storage)
    version = version_of(lake, DAY)
    promote(lake, version, DAY, "first")
    evaluation = Evaluation(
        version, 10, 5, 1, 1, Estimate(0.5, 0.25, 0.75), *[UNKNOWN] * 4, 0.5, None, None, None, ()
    )
    record = record_evaluation(lake, evaluation, DAY, "rows", DAY)
    assert record_evaluation(lake, evaluation, DAY, "rows", DAY + ONE_DAY) == record
    assert champion(lake) == version and newest_evaluation(lake, version) == record
    with lake.connect() as con:
        attach_views(Session(settings, lake, con))
        found = con.sql(
            "SELECT version, value, low, high FROM model_evaluations JOIN model_versions "
            "USING (version) WHERE figure = 'map_model'"
        ).fetchall()
        assert found == [(version, 0.5, 0.25, 0.75)]
    keys = storage.list("models")
    assert storage.sizes("models") == {key: storage.size(key) for key in keys}
    assert storage.sizes("nothing") == {}
