"""The published views of a real job board load through settings alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from conversion_platform.days import DayRange
from conversion_platform.lake import LocalStorage
from conversion_platform.lake.lake import Lake
from conversion_platform.marketplace import (
    EVENTS,
    JOBS,
    USERS,
    check_sources,
    load_events,
    load_jobs,
    load_users,
    render,
)
from conversion_platform.settings import Settings, load_settings

PROJECT = Path(__file__).parents[2]
EXAMPLE = PROJECT / "examples/job_views/conversion_platform.toml"
DATA = PROJECT.parent / "shared/data/jobboard_views/Job_Views.csv.gz"

needs_data = pytest.mark.skipif(not DATA.exists(), reason="the published file is not here")


@pytest.fixture
def job_views(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("CONVERSION_PLATFORM__INPUTS__VIEWS__PATH", str(DATA))
    return load_settings(EXAMPLE)


def test_the_path_of_an_input_can_come_from_the_environment(job_views: Settings) -> None:
    assert job_views.inputs["views"].path == str(DATA)


def test_without_it_the_file_lies_beside_the_settings() -> None:
    settings = load_settings(EXAMPLE)
    assert settings.inputs["views"].path == "Job_Views.csv.gz"
    assert settings.base == EXAMPLE.parent


@needs_data
def test_every_row_of_the_published_views_is_repaired_or_rejected(
    job_views: Settings, tmp_path: Path
) -> None:
    lake = Lake(LocalStorage(tmp_path))
    with lake.session() as con:
        users = load_users(con, lake, job_views)
        jobs = load_jobs(con, lake, job_views)
        days = DayRange(date(2014, 12, 10), date(2014, 12, 19))
        events = load_events(con, lake, job_views, days)
        titles = con.execute(
            f"SELECT count(*) FILTER (title LIKE '% @ %' || employer_id), count(employer_id), "
            f"count(*) FROM {lake.select(JOBS)}"
        ).fetchone()
        spoilt = con.execute(
            f"SELECT (SELECT count(*) FROM {lake.select(USERS)} WHERE state = 'NA'), "
            f"(SELECT count(*) FROM {lake.select(EVENTS)} WHERE occurred_at IS NULL)"
        ).fetchone()
    assert (users.read_rows, users.rejects) == (3448, {})
    assert (jobs.read_rows, jobs.rejects) == (7047, {})
    assert events.accepted_rows + events.rejected_rows == events.read_rows > 1000
    assert set(events.rejects) <= {"duplicate_id"}
    assert titles is not None
    assert titles[0] == 0 < titles[1] < titles[2]
    assert spoilt == (0, 0)


@needs_data
def test_check_sources_accounts_for_all_12370_views(job_views: Settings) -> None:
    report = check_sources(job_views)
    events = report.sources[2]
    views = report.event_types["impression"]
    assert views == report.event_types["click"]
    assert views + events.rejects["duplicate_id"] // 2 == 12_370
    assert report.event_types["conversion"] < views / 2
    assert (report.first_day, report.last_day) == (date(2014, 11, 6), date(2015, 4, 2))
    assert any("nobody can be texted" in line for line in report.missing)
    assert len(render(report).splitlines()) < 40
