"""A cohort that cannot be used is refused before a day is run, whatever is loaded by then."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion_platform.applications.job_of_the_day import check_cohorts
from conversion_platform.errors import SettingsError, SourceError
from conversion_platform.lake import Session, open_lake
from conversion_platform.marketplace import infer_attributes, load_jobs, load_users
from conversion_platform.settings import Settings
from conversion_platform_tests.marketplace.world import write_parquet
from conversion_platform_tests.sessions import in_session
from conversion_platform_tests.snapshots import keep

OWN = """-- level: user
SELECT d.dt, u.user_id, 1.0 AS mine FROM days AS d CROSS JOIN users AS u"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Sources of two users and a job, with one further column, and a feature of one's own."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own/mine.sql").write_text(OWN)
    write_users(tmp_path, "i % 2 AS kids")
    write_parquet(
        "SELECT 1 AS job_id, TIMESTAMPTZ '2026-01-01' AS opened_at", tmp_path / "j.parquet"
    )
    return tmp_path


def write_users(folder: Path, further: str) -> None:
    query = "SELECT i AS user_id, TIMESTAMPTZ '2026-01-01' AS created_at"
    write_parquet(f"{query}, {further} FROM range(2) t(i)", folder / "u.parquet")


def cohort(folder: Path, where: str, listed: str = '"kids"') -> Settings:
    from conversion_platform.settings import load_settings

    file = folder / "conversion_platform.toml"
    file.write_text(
        f"[sources.users]\npath = 'u.parquet'\nattributes = [{listed}]\n"
        "[sources.jobs]\npath = 'j.parquet'\n"
        f"[features]\nfolder = 'own'\n[cohorts.tested]\nwhere = '''{where}'''\n"
    )
    return load_settings(file)


def load(settings: Settings) -> None:
    lake = open_lake(settings)
    with lake.connect() as con:
        load_users(Session(settings, lake, con))
        load_jobs(Session(settings, lake, con))
        infer_attributes(Session(settings, lake, con))
        keep(Session(settings, lake, con))


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize(
    "where",
    [
        "true",
        "user_clicks_7d > 0 AND state = 'NY' AND created_at < day - INTERVAL 3 DAY",
        "kids > 0",
        "user_kids > 0 AND mine = 1.0",
    ],
)
def test_what_will_work_is_let_through(folder: Path, where: str, loaded: bool) -> None:
    settings = cohort(folder, where)
    if loaded:
        load(settings)
    in_session(settings, check_cohorts)
    assert loaded or not (folder / "lake").exists()


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("user_clicks_7 > 0", 'Referenced column "user_clicks_7" not found'),
        ("kidz > 0", 'Referenced column "kidz" not found'),
        ("state >", "syntax error"),
        ("count(*) > 1", "aggregate"),
        ("day > 'soon'::DATE + kidz", "not found"),
    ],
)
def test_what_will_not_work_is_refused_with_its_cohort_before_anything_is_made(
    folder: Path, where: str, why: str, loaded: bool
) -> None:
    settings = cohort(folder, where)
    if loaded:
        load(settings)
    with pytest.raises(SettingsError, match="cohort `tested`") as caught:
        in_session(settings, check_cohorts)
    assert why.lower() in str(caught.value).lower()
    assert loaded or not (folder / "lake").exists()


def test_a_column_that_the_source_has_since_today_is_known(folder: Path) -> None:
    load(cohort(folder, "true"))
    write_users(folder, "i % 2 AS kids, i + 18 AS years")
    settings = cohort(folder, "years > 20 AND user_years > 20", '"kids", "years"')
    in_session(settings, check_cohorts)
    with pytest.raises(SettingsError, match='"years" not found'):
        in_session(settings, check_cohorts, just_loaded=True)


def test_a_source_that_cannot_be_read_is_told_as_that(folder: Path) -> None:
    settings = cohort(folder, "kids > 0")
    (folder / "u.parquet").unlink()
    with pytest.raises(SourceError, match=r"sources\.users"):
        in_session(settings, check_cohorts)
