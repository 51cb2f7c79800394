from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conversion_platform.days import DayRange
from conversion_platform.features import (
    JOB_FEATURES,
    USER_FEATURES,
    build_features,
    feature_spec,
    pair_query,
)
from conversion_platform.lake import Lake, Session, open_lake
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.features.reference import Reference
from conversion_platform_tests.features.world import World, fill, random_world

# The clocks went forward on 2026-03-08 and the longest window begins in December.
HISTORY = DayRange(date(2025, 11, 25), date(2026, 3, 12))
DAYS = DayRange(date(2026, 3, 7), date(2026, 3, 10))


class Built:
    """A world with its features, built once for all tests of this module."""

    def __init__(self, folder: Path) -> None:
        file = folder / "conversion_platform.toml"
        file.write_text("[platform]\nstart_date = 2025-11-25\n[features]\nshrinkage = 5\n")
        self.settings: Settings = load_settings(file)
        self.lake: Lake = open_lake(self.settings)
        self.world: World = random_world(4, HISTORY, users=10, jobs=9, events=1800, messages=60)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    built = Built(tmp_path_factory.mktemp("values"))
    with built.lake.connect() as con:
        fill(Session(built.settings, built.lake, con), built.world, HISTORY)
        build_features(Session(built.settings, built.lake, con), DAYS)
    yield built


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = con.execute(query)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _same(found: Any, expected: Any) -> bool:
    if found is None or expected is None or isinstance(expected, str):
        return bool(found == expected)
    return math.isclose(float(found), float(expected), rel_tol=2e-5, abs_tol=2e-4)


def _differences(found: dict[str, Any], expected: dict[str, Any], where: str) -> list[str]:
    assert expected.keys() <= found.keys()
    return [
        f"{where} {name}: {found[name]} instead of {value}"
        for name, value in expected.items()
        if not _same(found[name], value)
    ]


def _compare(rows: Iterable[dict[str, Any]], expected: dict[str, dict[str, Any]], key: str) -> None:
    by_key = {row[key]: row for row in rows}
    assert sorted(by_key) == sorted(expected)
    wrong = [line for k, want in expected.items() for line in _differences(by_key[k], want, k)]
    assert not wrong, "\n".join(wrong[:10])


@pytest.mark.parametrize("day", list(DAYS), ids=str)
def test_user_features_are_what_their_definitions_say(built: Built, day: date) -> None:
    truth = Reference(built.world, built.settings, day)
    with built.lake.connect() as con:
        rows = _rows(con, built.lake.select(USER_FEATURES, DayRange.of(day))[1:-1])
    _compare(rows, {user: truth.user(user) for user in truth.user_ids()}, "user_id")


@pytest.mark.parametrize("day", list(DAYS), ids=str)
def test_job_features_are_what_their_definitions_say(built: Built, day: date) -> None:
    truth = Reference(built.world, built.settings, day)
    with built.lake.connect() as con:
        rows = _rows(con, built.lake.select(JOB_FEATURES, DayRange.of(day))[1:-1])
    _compare(rows, {job: truth.job(job) for job in truth.job_ids()}, "job_id")


def test_pair_features_are_what_their_definitions_say(built: Built) -> None:
    with built.lake.connect() as con:
        spec = feature_spec(Session(built.settings, built.lake, con))
        pairs = (
            f"(SELECT u.dt, u.user_id, j.job_id FROM {built.lake.select(USER_FEATURES, DAYS)} AS u "
            f"JOIN {built.lake.select(JOB_FEATURES, DAYS)} AS j USING (dt))"
        )
        rows = _rows(con, pair_query(Session(built.settings, built.lake, con), spec, pairs, DAYS))
    wrong = []
    for day in (DAYS.first, DAYS.last):
        truth = Reference(built.world, built.settings, day)
        for row in (row for row in rows if row["dt"] == day):
            user, job = row["user_id"], row["job_id"]
            expected = {**truth.user(user), **truth.job(job), **truth.pair(user, job)}
            expected.pop("open_at_start")
            assert set(expected) == set(spec.names())
            wrong += _differences(row, expected, f"{day} {user} {job}")
    assert not wrong, f"{len(wrong)} differ, such as\n" + "\n".join(wrong[:10])
    assert len(rows) > 100
