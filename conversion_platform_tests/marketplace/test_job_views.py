"""The published views of a real job board load through settings alone."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime
from pathlib import Path

import pytest

from conversion_platform.lake import LocalStorage, Session
from conversion_platform.lake.lake import Lake
from conversion_platform.marketplace import (
    JOBS,
    check_sources,
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


def _views() -> list[dict[str, str]]:
    """The file as Python reads it: what the platform found is held against this."""
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _dwell(view: dict[str, str]) -> float | None:
    if view["View.End"] in ("", "NA"):
        return None
    return (_time(view["View.End"]) - _time(view["View.Start"])).total_seconds()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace(" UTC", "+00:00"))


@needs_data
def test_every_user_and_job_of_the_published_views_is_there(
    job_views: Settings, tmp_path: Path
) -> None:
    lake = Lake(LocalStorage(tmp_path))
    with lake.connect() as con:
        users = load_users(Session(job_views, lake, con))
        jobs = load_jobs(Session(job_views, lake, con))
        titles = con.execute(
            "SELECT count(*) FILTER (title LIKE '% @ %' || employer_id), "
            "count(*) FILTER (title = 'NA' OR employer_id = 'NA' OR category = 'NA') "
            f"FROM {lake.select(JOBS)}"
        ).fetchone()
    views = _views()
    assert users.accepted_rows == len({view["Applicant.ID"] for view in views})
    assert jobs.accepted_rows == len({view["Job.ID"] for view in views})
    assert (users.rejects, jobs.rejects) == ({}, {})
    assert titles == (0, 0)


@needs_data
def test_each_published_view_is_an_event_or_a_reject(job_views: Settings) -> None:
    report = check_sources(job_views)
    views = _views()
    looks = {(view["Applicant.ID"], view["Job.ID"], view["View.Start"]) for view in views}
    good = [view for view in views if 60 <= (_dwell(view) or 0) <= 3600]
    assert report.event_types["impression"] == report.event_types["click"] == len(looks)
    assert report.sources[2].read_rows == 2 * len(views) + len(good)
    assert set(report.sources[2].rejects) == {"duplicate_id"}
    assert report.event_types["conversion"] <= len(good) < len(views) / 2
    assert report.first_day == job_views.platform.start_date
    assert any("no message can be sent" in line for line in report.missing)
    assert len(render(report).splitlines()) < 40
