"""The day's predictions over real features and a real model."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import DamagedFileError, NotReadyError, RegistryError
from conversion_platform.features import JOB_FEATURES, USER_FEATURES, build_features, pair_query
from conversion_platform.inference import (
    DAILY_PREDICTIONS,
    best_jobs,
    candidate_query,
    predict_days,
    score_pairs,
)
from conversion_platform.inference import predict as predict_module
from conversion_platform.lake import Lake, Session, Table, open_lake
from conversion_platform.marketplace.tables import EVENTS, JOBS, USERS
from conversion_platform.settings import Settings, load_settings
from conversion_platform.training import build_examples, fit_candidate, load_model
from conversion_platform_tests.sessions import in_session
from conversion_platform_tests.snapshots import keep
from conversion_platform_tests.training.world import small_world

if TYPE_CHECKING:
    import duckdb

SETTINGS = """
[platform]
start_date = 2026-01-01
[training]
train_days = 10
validation_days = 4
test_days = 4
trees = 30
[predictions]
top_k = 4
"""


@dataclass
class World:
    """A lake with a model, and features up to `day`."""

    con: duckdb.DuckDBPyConnection
    lake: Lake
    settings: Settings
    day: date
    version: str

    @property
    def session(self) -> Session:
        return Session(self.settings, self.lake, self.con)

    def predict(self, **predictions: Any) -> Any:
        chosen = self.settings.predictions.model_copy(update=predictions)
        configured = self.settings.model_copy(update={"predictions": chosen})
        days = DayRange.of(self.day)
        (result,) = predict_days(Session(configured, self.lake, self.con), days, self.version)
        return result

    def rows(self) -> list[dict[str, Any]]:
        relation = self.con.sql(
            f"SELECT * FROM {self.lake.select(DAILY_PREDICTIONS, DayRange.of(self.day))}"
        )
        names = relation.columns
        return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]

    def bytes(self) -> bytes:
        return self.lake.storage.read(self.lake.key(DAILY_PREDICTIONS, self.day))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "conversion_platform.toml"
        file.write_text(SETTINGS)
        settings = load_settings(file)
        lake = open_lake(settings)
        with lake.connect() as con:
            session = Session(settings, lake, con)
            day = small_world(session)
            build_features(session, DayRange.of(day))
            build_examples(session, day)
            version = fit_candidate(session, day).version
            yield World(con, lake, settings, day, version)


def brute_force(world: World) -> dict[str, list[tuple[str, float]]]:
    """Every candidate pair scored at once, and sorted in Python."""
    model = load_model(world.lake, world.version)
    pairs = f"({candidate_query(world.session, world.day)})"
    query = pair_query(world.session, model.card.spec, pairs, DayRange.of(world.day))
    table = world.con.sql(query).to_arrow_table()
    scores = model.predict(table)
    found = defaultdict(list)
    columns = (table["user_id"].to_pylist(), table["job_id"].to_pylist(), scores.tolist())
    for user, job, score in zip(*columns, strict=True):
        found[user].append((job, score))
    return {user: sorted(jobs, key=lambda job: (-job[1], job[0])) for user, jobs in found.items()}


def test_each_user_keeps_the_best_k_in_order_of_score(world: World) -> None:
    result = world.predict()
    expected = brute_force(world)
    found = defaultdict(list)
    for row in world.rows():
        assert row["rank"] == len(found[row["user_id"]]) + 1
        found[row["user_id"]].append((row["job_id"], row["score"]))
    assert dict(found) == {user: jobs[:4] for user, jobs in expected.items()}
    assert result.scored_pairs == sum(len(jobs) for jobs in expected.values())
    assert result.users_with_predictions == result.eligible_users == len(expected) == 60
    assert (result.rows, result.open_jobs, result.message) == (240, 24, "")
    only_best = world.predict(top_k=1)
    assert (only_best.rows, only_best.users_with_predictions) == (60, 60)


@pytest.mark.parametrize("table", [USER_FEATURES, JOB_FEATURES, EVENTS], ids=lambda t: t.name)
def test_a_truncated_file_that_predictions_read_is_named_with_the_remedy(
    world: World, table: Table
) -> None:
    day = world.day - ONE_DAY if table == EVENTS else world.day
    key = world.lake.key(table, day)
    whole = world.lake.storage.read(key)
    world.lake.storage.replace(key, whole[: len(whole) // 2])
    try:
        with pytest.raises(DamagedFileError, match=f"{key} is damaged") as caught:
            in_session(world.settings, predict_days, DayRange.of(world.day), world.version)
    finally:
        world.lake.storage.replace(key, whole)
    assert "Restore it, or materialise the stage" in caught.value.remedy


def test_probabilities_are_the_models_calibration_of_the_scores(world: World) -> None:
    world.predict()
    rows = world.rows()
    model = load_model(world.lake, world.version)
    scores = np.array([row["score"] for row in rows], dtype=np.float32)
    assert [row["probability"] for row in rows] == model.calibrate(scores).tolist()
    assert all(0 < row["probability"] < 1 for row in rows)
    assert {(row["model_version"], row["features_day"]) for row in rows} == {
        (world.version, world.day)
    }


def test_the_same_day_twice_gives_the_same_bytes_however_the_users_are_bucketed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.predict()
    before = world.bytes()
    world.predict()
    assert world.bytes() == before
    for pairs in (170, 555):
        monkeypatch.setattr(predict_module, "BUCKET_PAIRS", pairs)
        world.predict()
        assert world.bytes() == before, f"buckets of {pairs} pairs"


def test_a_range_of_days_is_the_same_as_its_days(world: World) -> None:
    days = DayRange(world.day - ONE_DAY, world.day)
    results = predict_days(Session(world.settings, world.lake, world.con), days, world.version)
    assert [result.day for result in results] == list(days)
    together = world.bytes()
    world.predict()
    assert world.bytes() == together


def test_scored_pairs_keep_their_columns_and_gain_score_and_probability(world: World) -> None:
    world.predict()
    best = {(row["user_id"], row["job_id"]): row for row in world.rows() if row["rank"] == 1}
    pairs = (
        f"SELECT user_id, job_id, DATE '{world.day}' AS dt, 'kept' AS note "
        f"FROM {world.lake.select(DAILY_PREDICTIONS, DayRange.of(world.day))} WHERE rank = 1"
    )
    model = load_model(world.lake, world.version)
    days = DayRange.of(world.day)
    batches = list(score_pairs(Session(world.settings, world.lake, world.con), model, pairs, days))
    rows = pa.Table.from_batches(batches).to_pylist()
    assert len(rows) == len(best)
    for row in rows:
        kept = best[row["user_id"], row["job_id"]]
        assert row == {
            "user_id": row["user_id"],
            "job_id": row["job_id"],
            "dt": world.day,
            "note": "kept",
            "score": kept["score"],
            "probability": kept["probability"],
        }


def test_without_eligible_users_the_day_is_empty_and_says_why(world: World) -> None:
    users = world.lake.storage.read(world.lake.key(USERS))
    try:
        world.lake.write(world.con, USERS, USERS.empty_select())
        keep(world.session)
        result = world.predict()
        assert (result.rows, result.eligible_users, world.rows()) == (0, 0, [])
        assert "No eligible user" in result.message
        assert "predictions.active_days" in result.message
    finally:
        world.lake.storage.replace(world.lake.key(USERS), users)
        keep(world.session)


def test_without_open_jobs_the_day_is_empty_and_says_why(world: World) -> None:
    jobs = world.lake.storage.read(world.lake.key(JOBS))
    try:
        world.lake.write(world.con, JOBS, JOBS.empty_select())
        keep(world.session)
        result = world.predict()
        assert (result.rows, result.open_jobs, result.eligible_users) == (0, 0, 60)
        assert "No open job" in result.message
    finally:
        world.lake.storage.replace(world.lake.key(JOBS), jobs)
        keep(world.session)


def test_users_without_a_candidate_are_counted_in_the_message(world: World) -> None:
    jobs = world.lake.storage.read(world.lake.key(JOBS))
    try:
        half = f"SELECT * FROM {world.lake.select(JOBS)} WHERE region = 'r0'"
        world.lake.write(world.con, JOBS, half)
        keep(world.session)
        result = world.predict()
        assert (result.eligible_users, result.users_with_predictions) == (60, 30)
        assert "30 of 60 eligible users have no candidate" in result.message
    finally:
        world.lake.storage.replace(world.lake.key(JOBS), jobs)
        keep(world.session)


def test_without_features_of_the_day_the_stage_is_not_ready(world: World) -> None:
    later = DayRange.of(world.day + 9 * ONE_DAY)
    with pytest.raises(NotReadyError, match="user_features"):
        predict_days(Session(world.settings, world.lake, world.con), later, world.version)


def test_an_unknown_version_is_named(world: World) -> None:
    days = DayRange.of(world.day)
    with pytest.raises(RegistryError, match="2020-01-01-none"):
        predict_days(Session(world.settings, world.lake, world.con), days, "2020-01-01-none")


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["u1", "u2", "u3"]),
            st.text("abc", min_size=1, max_size=3),
            st.sampled_from([0.0, 0.1, 0.1000001, 0.5, 1.0]),
        ),
        unique_by=lambda row: row[:2],
        max_size=25,
    ),
    st.integers(1, 6),
)
def test_the_best_k_are_those_of_a_sort(rows: list[tuple[str, str, float]], k: int) -> None:
    import duckdb

    table = pa.table(
        {
            "user_id": pa.array([row[0] for row in rows], pa.string()),
            "job_id": pa.array([row[1] for row in rows], pa.string()),
            "score": pa.array([row[2] for row in rows], pa.float32()),
        }
    )
    with duckdb.connect() as con:
        found = best_jobs(con, table, k).to_pylist()
    expected = []
    for user in ("u1", "u2", "u3"):
        mine = [(-np.float32(score), job) for name, job, score in rows if name == user]
        for rank, (score, job) in enumerate(sorted(mine)[:k], start=1):
            expected.append({"user_id": user, "job_id": job, "rank": rank, "score": -score})
    assert found == expected
