"""Who gets which job today, when, and who is held out."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conversion_platform.applications.job_of_the_day import (
    JOB_OF_THE_DAY,
    assign_days,
    days_to_assign,
    send_time,
)
from conversion_platform.days import DayRange
from conversion_platform.errors import NotReadyError
from conversion_platform.experiments import arm_of
from conversion_platform.lake import Session
from conversion_platform.marketplace.tables import EVENTS
from conversion_platform_tests.applications.job_of_the_day.world import (
    assignments,
    configured,
    write_day,
    write_features,
    write_predictions,
    write_users,
)
from conversion_platform_tests.inference.marketplace import rows_query

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake import Lake

DAY = date(2026, 3, 10)
ONE = DayRange.of(DAY)
NO_CAP = "max_texts_per_week = 21\n"


def test_everyone_gets_their_best_job(session: Session) -> None:
    write_day(session, DAY, {"u": [("a", 0.3), ("b", 0.2)], "v": [("b", 0.9)]})
    (result,) = assign_days(session, ONE)
    given = assignments(session, DAY)
    assert {user: row["job_id"] for user, row in given.items()} == {"u": "a", "v": "b"}
    assert given["u"]["assignment_id"] == hashlib.md5(b"2026-03-10|u").hexdigest()
    assert (given["u"]["rank"], given["u"]["model_version"]) == (1, "v")
    assert given["u"]["probability"] == pytest.approx(0.3)
    assert (result.rows, result.treated + result.holdout, result.note) == (2, 2, "")


def test_arms_are_those_of_the_experiment(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, tmp_path: Path
) -> None:
    settings = configured(tmp_path, "[job_of_the_day]\nholdout_share = 0.4\nsalt = 'pepper'\n")
    users = [f"u{number}" for number in range(50)]
    write_day(session, DAY, {user: [("a", 0.3)] for user in users})
    (result,) = assign_days(Session(settings, lake, con), ONE)
    arms = {user: row["arm"] for user, row in assignments(session, DAY).items()}
    assert arms == {user: arm_of(user, "pepper", 0.4) for user in users}
    assert result.holdout == sum(arm == "holdout" for arm in arms.values()) > 0


def test_a_job_is_not_repeated_within_the_window_and_the_next_best_takes_its_place(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, tmp_path: Path
) -> None:
    settings = configured(tmp_path, f"[job_of_the_day]\nrepeat_days = 3\n{NO_CAP}")
    days = DayRange(DAY, DAY + timedelta(days=4))
    for day in days:
        write_day(session, day, {"u": [("a", 0.3), ("b", 0.2), ("c", 0.1)]})
    assign_days(Session(settings, lake, con), days)
    given = [assignments(session, day)["u"] for day in days]
    assert [row["job_id"] for row in given] == ["a", "b", "c", "a", "b"]
    assert [row["rank"] for row in given] == [1, 2, 3, 1, 2]


def test_a_job_assigned_in_the_holdout_is_not_repeated_either(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, tmp_path: Path
) -> None:
    settings = configured(tmp_path, "[job_of_the_day]\nholdout_share = 1.0\n")
    days = DayRange(DAY, DAY + timedelta(days=1))
    for day in days:
        write_day(session, day, {"u": [("a", 0.3), ("b", 0.2)]})
    assign_days(Session(settings, lake, con), days)
    given = [assignments(session, day)["u"] for day in days]
    assert [(row["job_id"], row["arm"]) for row in given] == [("a", "holdout"), ("b", "holdout")]


@pytest.mark.parametrize(
    ("event_type", "day", "recorded_at", "given_job"),
    [
        ("application", date(2026, 3, 9), datetime(2026, 3, 9, 12, tzinfo=UTC), "b"),
        ("application", date(2026, 1, 2), datetime(2026, 1, 2, 12, tzinfo=UTC), "b"),
        ("application", date(2026, 3, 9), datetime(2026, 3, 10, 12, tzinfo=UTC), "a"),
        ("click", date(2026, 3, 9), datetime(2026, 3, 9, 12, tzinfo=UTC), "a"),
    ],
    ids=["applied before the day", "long ago", "not known when the day began", "only clicked"],
)
def test_nobody_gets_a_job_they_are_known_to_have_applied_for(
    session: Session,
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    event_type: str,
    day: date,
    recorded_at: datetime,
    given_job: str,
) -> None:
    write_day(session, DAY, {"u": [("a", 0.3), ("b", 0.2)]})
    event = {
        "event_id": "e",
        "user_id": "u",
        "job_id": "a",
        "event_type": event_type,
        "occurred_at": datetime.combine(day, time(11), UTC),
        "recorded_at": recorded_at,
    }
    query = rows_query(EVENTS, [event])
    lake.write(con, EVENTS, f"SELECT * EXCLUDE (dt) FROM ({query})", day)
    assign_days(session, ONE)
    assert assignments(session, DAY)["u"]["job_id"] == given_job


def test_a_day_that_is_over_keeps_the_assignments_people_were_texted_by(
    session: Session, lake: Lake
) -> None:
    write_day(session, DAY, {"u": [("a", 0.3)]})
    assign_days(session, ONE)
    days = DayRange(DAY - timedelta(days=1), DAY + timedelta(days=1))
    never_assigned, under_way = days.first, days.last
    assert days_to_assign(lake, days, under_way, ()) == [never_assigned, under_way]
    assert days_to_assign(lake, days, DAY, ()) == list(days)
    assert days_to_assign(lake, days, None, ()) == list(days)


@pytest.mark.parametrize("today", [None, DAY])
def test_a_day_whose_texts_have_begun_to_leave_keeps_its_assignments(
    session: Session, lake: Lake, today: date | None
) -> None:
    write_day(session, DAY, {"u": [("a", 0.3)]})
    assign_days(session, ONE)
    assert days_to_assign(lake, ONE, today, {DAY}) == []
    tomorrow = DayRange.of(DAY + timedelta(days=1))
    assert days_to_assign(lake, tomorrow, today, {tomorrow.first}) == [tomorrow.first]


def test_nobody_is_assigned_more_often_than_the_weekly_cap_allows(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, tmp_path: Path
) -> None:
    settings = configured(
        tmp_path, "[job_of_the_day]\nrepeat_days = 1\nmax_texts_per_week = 2\nholdout_share = 0.5\n"
    )
    days = DayRange(DAY, DAY + timedelta(days=8))
    users = [f"u{number}" for number in range(6)]
    for day in days:
        write_day(session, day, {user: [("a", 0.3)] for user in users})
    assign_days(Session(settings, lake, con), days)
    for user in users:
        got = [user in assignments(session, day) for day in days]
        assert got == [True, True, False, False, False, False, False, True, True], user


def test_a_user_is_in_the_first_cohort_that_fits_by_priority_then_name(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, tmp_path: Path
) -> None:
    settings = configured(
        tmp_path,
        """
        [cohorts.everyone]
        priority = 900
        [cohorts.busy]
        where = "visits > 5"
        [cohorts.active]
        where = "visits > 2"
        [cohorts.first]
        where = "state = 'MA' AND user_id LIKE 'm%'"
        priority = 1
        """,
    )
    visits = {"m1": 9, "u9": 9, "u3": 3, "u0": 0}
    users = [{"user_id": user, "state": "MA"} for user in visits]
    write_day(session, DAY, {user: [("a", 0.3)] for user in visits}, users, visits)
    (result,) = assign_days(Session(settings, lake, con), ONE)
    cohorts = {user: row["cohort"] for user, row in assignments(session, DAY).items()}
    assert cohorts == {"m1": "first", "u9": "active", "u3": "active", "u0": "everyone"}
    assert result.by_cohort == {"first": 1, "active": 2, "busy": 0, "everyone": 1}


def test_a_cohort_takes_the_most_probable_up_to_its_size_and_the_rest_get_nothing(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, tmp_path: Path
) -> None:
    settings = configured(
        tmp_path,
        "[cohorts.small]\nsize = 2\npriority = 1\n[cohorts.other]\nwhere = \"user_id = 'x'\"\n",
    )
    ranked = {"a": [("j", 0.2)], "b": [("j", 0.5)], "c": [("j", 0.2)], "d": [("j", 0.1)]}
    write_day(session, DAY, ranked)
    assign_days(Session(settings, lake, con), ONE)
    assert set(assignments(session, DAY)) == {"a", "b"}


def test_below_the_minimum_probability_there_is_no_assignment(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, tmp_path: Path
) -> None:
    settings = configured(tmp_path, "[cohorts.everyone]\nmin_probability = 0.7\n")
    write_day(session, DAY, {"just": [("j", 0.7)], "below": [("j", 0.69)]})
    assign_days(Session(settings, lake, con), ONE)
    assert set(assignments(session, DAY)) == {"just"}


@pytest.mark.parametrize(
    ("day", "clock", "zone", "utc"),
    [
        (date(2026, 1, 5), time(10, 0), "America/Chicago", "2026-01-05 16:00"),
        (date(2026, 7, 5), time(10, 0), "America/Chicago", "2026-07-05 15:00"),
        (date(2026, 7, 5), time(10, 0), None, "2026-07-05 14:00"),
        (date(2026, 7, 5), time(10, 0), "Mars/Olympus", "2026-07-05 14:00"),
        (date(2026, 7, 5), time(10, 0), "../etc/passwd", "2026-07-05 14:00"),
        (date(2026, 7, 5), time(10, 0), "Pacific/Honolulu", "2026-07-05 20:00"),
        # 8 March 2026, New York: 02:00 to 03:00 does not exist.
        (date(2026, 3, 8), time(2, 30), "America/New_York", "2026-03-08 07:30"),
        # 1 November 2026, New York: 01:00 to 02:00 happens twice.
        (date(2026, 11, 1), time(1, 30), "America/New_York", "2026-11-01 05:30"),
        (date(2026, 11, 1), time(2, 0), "America/New_York", "2026-11-01 07:00"),
        # Phoenix keeps standard time; Lord Howe moves by half an hour.
        (date(2026, 7, 5), time(9, 0), "America/Phoenix", "2026-07-05 16:00"),
        (date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe", "2026-10-03 15:45"),
    ],
)
def test_a_text_is_sent_at_the_cohorts_time_on_the_recipients_clock(
    day: date, clock: time, zone: str | None, utc: str
) -> None:
    expected = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert send_time(day, clock, zone, "America/New_York") == expected


def test_each_user_has_the_send_time_of_their_zone_and_cohort(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, tmp_path: Path
) -> None:
    settings = configured(
        tmp_path,
        "[cohorts.late]\nwhere = \"user_id = 'c'\"\nsend_time = 18:30:00\npriority = 1\n"
        "[cohorts.everyone]\nsend_time = 09:00:00\n",
    )
    users = [
        {"user_id": "a", "time_zone": "America/Los_Angeles"},
        {"user_id": "b"},
        {"user_id": "c", "time_zone": "America/Los_Angeles"},
    ]
    write_day(session, DAY, {user["user_id"]: [("j", 0.3)] for user in users}, users)
    assign_days(Session(settings, lake, con), ONE)
    given = {user: row["send_at"].isoformat() for user, row in assignments(session, DAY).items()}
    assert given == {
        "a": "2026-03-10T16:00:00+00:00",
        "b": "2026-03-10T13:00:00+00:00",
        "c": "2026-03-11T01:30:00+00:00",
    }


def test_without_predictions_of_that_day_the_stage_is_not_ready(session: Session) -> None:
    write_day(session, DAY - timedelta(days=1), {"u": [("a", 0.3)]})
    with pytest.raises(NotReadyError, match=r"daily_predictions.*2026-03-10"):
        assign_days(session, ONE)
    write_predictions(session, DAY, {"u": [("a", 0.3)]})
    with pytest.raises(NotReadyError, match="user_features"):
        assign_days(session, ONE)


@pytest.mark.parametrize(
    ("ranked", "text", "why"),
    [
        ({}, "", "no predictions"),
        ({"u": [("a", 0.3)]}, '[cohorts.none]\nwhere = "false"\n', "fits any cohort"),
        ({"u": [("a", 0.3)]}, "[cohorts.none]\nsize = 0\n", "leave none of 1 users"),
    ],
)
def test_a_day_on_which_nobody_gets_anything_is_empty_and_says_why(
    session: Session,
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    tmp_path: Path,
    ranked: dict[str, Any],
    text: str,
    why: str,
) -> None:
    write_users(session, [{"user_id": "u"}])
    write_features(session, DAY, {"u": 0})
    write_predictions(session, DAY, ranked)
    (result,) = assign_days(Session(configured(tmp_path, text), lake, con), ONE)
    assert result.rows == 0
    assert why in result.note
    assert assignments(session, DAY) == {}
    assert lake.exists(JOB_OF_THE_DAY, DAY)


def test_the_same_day_twice_gives_the_same_bytes(session: Session, lake: Lake) -> None:
    days = DayRange(DAY, DAY + timedelta(days=2))
    for day in days:
        write_day(session, day, {f"u{n}": [("a", 0.3), ("b", n / 100)] for n in range(40)})
    key = lake.key(JOB_OF_THE_DAY, DAY + timedelta(days=1))
    assign_days(session, days)
    before = lake.storage.read(key)
    assign_days(session, DayRange.of(DAY + timedelta(days=1)))
    assert lake.storage.read(key) == before


def test_no_phone_and_no_place_is_among_the_columns() -> None:
    names = {column.name for column in JOB_OF_THE_DAY.columns}
    assert not names & {"phone", "latitude", "longitude", "postal_code"}
