"""Quiet days do not alarm, moved features do, and a report is the same each time."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import NotReadyError, RegistryError
from conversion_platform.features.tables import (
    JOB_FEATURES,
    RESPONSE_EFFECTS,
    USER_CATEGORY_FEATURES,
    USER_FEATURES,
)
from conversion_platform.inference import predict_days
from conversion_platform.lake import Lake, Session, Table
from conversion_platform.marketplace.tables import USERS
from conversion_platform.monitoring import DRIFT, DriftReport, drift_report, write_reference
from conversion_platform.monitoring.evidently_report import stable_ids
from conversion_platform.monitoring.panel import reference, sample
from conversion_platform.settings import Settings
from conversion_platform.training import load_model
from conversion_platform.training.registry import version_key
from conversion_platform_tests.snapshots import keep
from conversion_platform_tests.training.test_examples import changed

if TYPE_CHECKING:
    import duckdb


def rewrite(session: Session, table: Table, day: date, replacement: str) -> None:
    """Changes columns of one partition: `replacement` is what goes into * REPLACE (...)."""
    stored = session.lake.select(table, DayRange.of(day))
    session.con.execute(
        f"CREATE OR REPLACE TEMP TABLE changed AS "
        f"SELECT * EXCLUDE (dt) REPLACE ({replacement}) FROM {stored}"
    )
    session.lake.write(session.con, table, "SELECT * FROM changed", day)


def drifted(report: DriftReport) -> set[str]:
    return {column.name for column in report.details if column.drifted}


def test_every_feature_and_the_score_are_watched_and_kept_in_a_table(
    con: duckdb.DuckDBPyConnection, lake: Lake, day: date, champion: str, report: DriftReport
) -> None:
    card = load_model(lake, champion).card
    watched = {feature.name for feature in card.spec.features} | {"score"}
    rows = con.sql(f"SELECT * FROM {lake.select(DRIFT)}")
    assert (
        {column.name for column in report.details} == watched == {row[0] for row in rows.fetchall()}
    )
    assert rows.columns[:-1] == [column.name for column in DRIFT.columns]
    assert report.model_version == champion
    assert report.rows_today > 100 and report.rows_reference > 100


def test_a_day_like_the_test_days_has_not_drifted(
    session: Session, lake: Lake, day: date, champion: str
) -> None:
    # The small world is so young that its windows still fill; a copied day is a settled one.
    like = load_model(lake, champion).card.test_days.last
    later = like + 7 * ONE_DAY
    for table in (RESPONSE_EFFECTS, USER_FEATURES, JOB_FEATURES, USER_CATEGORY_FEATURES):
        lake.storage.replace(lake.key(table, later), lake.storage.read(lake.key(table, like)))
    predict_days(session, DayRange.of(later), champion)
    report = drift_report(session, later)
    assert not report.drifted
    assert report.share_drifted < 0.2
    assert report.columns["job_pay"] == 0.0


def test_features_that_move_are_named_and_enough_of_them_are_drift(
    session: Session,
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    settings: Settings,
    day: date,
    champion: str,
) -> None:
    rewrite(session, JOB_FEATURES, day, "job_pay + 5 AS job_pay, 'r9' AS job_region")
    strict = changed(settings, "drift", max_drifted_share=0.01)
    report = drift_report(Session(strict, lake, con), day)
    assert {"job_pay", "job_region"} <= drifted(report)
    assert report.share_drifted == pytest.approx(len(drifted(report)) / len(report.details))
    assert report.drifted


def test_a_feature_that_loses_its_values_has_drifted_though_no_distance_says_so(
    session: Session, day: date, champion: str
) -> None:
    rewrite(session, USER_FEATURES, day, "NULL::FLOAT AS user_desired_pay")
    report = drift_report(session, day)
    found = {column.name: column for column in report.details}["user_desired_pay"]
    assert found.drifted and found.statistic is None
    assert (found.missing_today, found.missing_reference) == (1.0, 0.0)


def test_the_same_day_gives_the_same_bytes_page_included(
    session: Session, lake: Lake, day: date, champion: str, report: DriftReport
) -> None:
    keys = [report.key, lake.key(DRIFT, day), version_key(champion, "reference.parquet")]
    before = [lake.storage.read(key) for key in keys]
    write_reference(session, load_model(lake, champion))
    assert drift_report(session, day) == report
    assert [lake.storage.read(key) for key in keys] == before


def test_the_page_opens_without_a_network(lake: Lake, day: date, report: DriftReport) -> None:
    page = lake.storage.read(f"reports/drift/dt={day}/report.html").decode()
    assert page.encode() == report.html
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=.https?:", page)


def test_the_headline_of_the_page_agrees_with_the_check(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, day: date
) -> None:
    for limit, verdict in ((0.0, "above the limit"), (1.0, "within the limit")):
        limited = changed(settings, "drift", max_drifted_share=limit)
        report = drift_report(Session(limited, lake, con), day)
        page = report.html.decode()
        assert f"<h1>Drift on {day} is {verdict}</h1>" in page
        assert report.drifted == (verdict == "above the limit")
        assert "Dataset Drift" not in page.partition("<script")[0]


def test_mondays_are_compared_with_a_monday_where_there_is_one(
    session: Session, lake: Lake, day: date, champion: str
) -> None:
    model = load_model(lake, champion)
    days = list(model.card.test_days)
    for tested in days:
        found = reference(session, model, tested + 7 * ONE_DAY)
        assert set(found.column("dt").to_pylist()) == {tested}
    other = next(item for item in DayRange(day, day + 6 * ONE_DAY) if not same_weekday(item, days))
    assert set(reference(session, model, other).column("dt").to_pylist()) == set(days)


def same_weekday(day: date, days: list[date]) -> bool:
    return day.weekday() in {item.weekday() for item in days}


def test_the_panel_is_bounded_repeatable_and_holds_no_id(
    con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, day: date, champion: str
) -> None:
    model = load_model(lake, champion)
    few = changed(settings, "drift", sample_rows=100)
    found = sample(Session(few, lake, con), model, DayRange.of(day))
    assert found.num_rows == 100
    assert found == sample(Session(few, lake, con), model, DayRange.of(day))
    assert not {"user_id", "job_id"} & set(found.column_names)


@pytest.mark.usefixtures("day")
def test_days_drawn_together_are_the_same_as_one_by_one(
    session: Session, lake: Lake, champion: str
) -> None:
    model = load_model(lake, champion)
    days = model.card.test_days
    alone = [sample(session, model, DayRange.of(day)) for day in days]
    assert len(alone) > 1
    assert sample(session, model, days).to_pylist() == [
        row for part in alone for row in part.to_pylist()
    ]


def test_a_damaged_reference_is_made_again(
    session: Session, lake: Lake, day: date, champion: str
) -> None:
    key, model = version_key(champion, "reference.parquet"), load_model(lake, champion)
    before = lake.storage.read(key)
    lake.storage.replace(key, b"PAR1 cut in the middle")
    assert reference(session, model, day).num_rows > 100
    assert lake.storage.read(key) == before


def test_a_day_without_eligible_users_has_nothing_to_compare_and_has_not_drifted(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, day: date, champion: str
) -> None:
    left = f"SELECT * REPLACE (created_at AS left_at) FROM {lake.select(USERS)}"
    con.execute(f"CREATE TEMP TABLE gone AS {left}")
    write_reference(session, load_model(lake, champion))
    lake.write(con, USERS, "SELECT * FROM gone")
    keep(session)
    predict_days(session, DayRange.of(day), champion)
    report = drift_report(session, day)
    assert (report.rows_today, report.share_drifted, report.drifted) == (0, 0.0, False)
    assert b"nothing was compared" in report.html
    assert con.sql(f"SELECT * FROM {lake.select(DRIFT)}").fetchall() == []


def test_without_predictions_the_message_says_what_to_materialise(
    session: Session, day: date
) -> None:
    with pytest.raises(NotReadyError, match="daily_predictions"):
        drift_report(session, day + ONE_DAY)


def test_a_damaged_model_is_named(session: Session, lake: Lake, day: date, champion: str) -> None:
    lake.storage.replace(version_key(champion, "model.ubj"), b"")
    with pytest.raises(RegistryError, match=r"model\.ubj"):
        drift_report(session, day)


def test_random_ids_are_numbered_in_order_and_the_rest_of_the_page_is_left_alone() -> None:
    one = "6d9f2b0c-8a54-4cde-9a0b-0123456789ab"
    two = "0b9f2b0c-8a54-4cde-8a0b-0123456789ab"
    digest = "metric_" + "a" * 32
    found = stable_ids(f"{one} {two} {one} {digest} {'b' * 32}").decode().split()
    assert found[0] == found[2] == "00000000-0000-0000-0000-000000000000"
    assert found[1].endswith("1")
    assert found[3] == "metric_" + "0" * 31 + "2"
    assert found[4] == "b" * 32


def test_the_page_shows_the_columns_that_moved_most_and_says_how_many_there_are(
    report: DriftReport,
) -> None:
    page = report.html.decode()
    assert f"{len(drifted(report))} of {len(report.details)} columns drifted" in page
    assert next(iter(report.columns)) in page
