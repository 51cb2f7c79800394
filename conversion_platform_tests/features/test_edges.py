"""Each limit of a window, a lateness or a stay, from both sides."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.features import JOB_FEATURES, USER_FEATURES
from conversion_platform.features.attributes import AttributeFeature, attribute_sql
from conversion_platform.features.spec import Feature
from conversion_platform_tests.features.world import Row, World, at, configured, event, rows_of

FIRST = date(2026, 1, 1)
DAY = date(2026, 4, 10)
Found = dict[tuple[date, str], tuple[float | None, ...]]


def features(folder: Path, users: list[Row], events: list[Row], days: DayRange) -> Found:
    """Clicks within 28 days, and days since the last click, by day and user."""
    world = World(users=users, jobs=[{"job_id": "j0", "opened_at": at(FIRST, 0)}], events=events)
    setting = configured(folder, "[events]\nlate_days = 2\n", FIRST)
    columns = "dt, user_id, user_clicks_28d, user_days_since_click"
    rows = rows_of(setting, world, days, USER_FEATURES, columns)
    return {(row[0], row[1]): row[2:] for row in rows}


@pytest.mark.parametrize(
    ("value", "expected"), [("2.5", 2.5), ("1e39", None), ("'inf'::DOUBLE", None), ("NULL", None)]
)
def test_an_attribute_beyond_what_a_feature_holds_is_missing(
    value: str, expected: float | None
) -> None:
    spec = Feature("user_bonus", "numeric", "user", "")
    column = attribute_sql(AttributeFeature("bonus", "numeric", spec), "u", "")
    with duckdb.connect() as con:
        users = f"(SELECT {value} AS _attribute_bonus) AS u"
        found = con.execute(f"SELECT {column} FROM {users}").fetchall()
    assert found == [(expected,)]


def user(name: str, left_hours: float | None = None) -> Row:
    left = None if left_hours is None else at(DAY, left_hours)
    return {"user_id": name, "created_at": at(FIRST, 0), "left_at": left}


def click(number: int, name: str, days_before: int, known_hours: float | None = None) -> Row:
    when = at(DAY - timedelta(days=days_before), 12)
    known = None if known_hours is None else when + timedelta(hours=known_hours)
    return event(number, name, "j0", "click", when, known)


def test_an_event_counts_if_it_is_at_most_late_days_late(tmp_path: Path) -> None:
    events = [
        click(1, "in_time", 10, 2 * 24),
        click(2, "too_late", 10, 3 * 24),
        click(3, "just_too_late", 10, 2 * 24 + 12),
    ]
    users = [user(name) for name in ("in_time", "too_late", "just_too_late")]
    found = features(tmp_path, users, events, DayRange.of(DAY))
    # It counts on the day on which it became known.
    assert found[DAY, "in_time"] == (1, 8)
    assert found[DAY, "too_late"] == found[DAY, "just_too_late"] == (0, None)


def test_who_leaves_during_the_day_still_has_features_and_who_left_before_has_none(
    tmp_path: Path,
) -> None:
    users = [user("before", -0.01), user("at_midnight", 0), user("during", 5), user("stays")]
    found = features(tmp_path, users, [], DayRange.of(DAY))
    assert {name for _, name in found} == {"during", "stays"}


def test_a_click_is_forgotten_after_ninety_days_and_leaves_its_window_after_twenty_eight(
    tmp_path: Path,
) -> None:
    events = [click(1, "long_ago", 89), click(2, "lately", 27)]
    days = DayRange(DAY, DAY + timedelta(days=2))
    found = features(tmp_path, [user("long_ago"), user("lately")], events, days)
    assert [found[day, "long_ago"] for day in days] == [(0, 89), (0, 90), (0, None)]
    assert [found[day, "lately"] for day in days] == [(1, 27), (1, 28), (0, 29)]


def test_an_event_at_midnight_belongs_to_the_day_that_begins(tmp_path: Path) -> None:
    before = event(1, "before", "j0", "click", at(DAY, 0) - timedelta(microseconds=1))
    exactly = event(2, "exactly", "j0", "click", at(DAY, 0))
    users = [user("before"), user("exactly")]
    found = features(tmp_path, users, [before, exactly], DayRange(DAY, DAY + timedelta(days=1)))
    assert found[DAY, "before"] == (1, 1)
    assert found[DAY, "exactly"] == (0, None)
    assert found[DAY + timedelta(days=1), "exactly"] == (1, 1)


def test_whose_user_is_no_longer_known_counts_nowhere(tmp_path: Path) -> None:
    events = [
        event(1, "stays", "j0", "impression", at(DAY - ONE_DAY, 12)),
        event(2, "erased", "j0", "impression", at(DAY - ONE_DAY, 12)),
    ]
    world = World([user("stays")], [{"job_id": "j0", "opened_at": at(FIRST, 0)}], events)
    setting = configured(tmp_path, start=FIRST)
    rows = rows_of(setting, world, DayRange.of(DAY), JOB_FEATURES, "job_impressions_28d")
    assert rows == [(1,)]


def test_a_type_that_stands_in_two_lists_counts_as_both_and_an_unlisted_one_as_nothing(
    tmp_path: Path,
) -> None:
    when = at(DAY - ONE_DAY, 12)
    kinds = ["impression", "click", "apply", "apply", "hire", "note"]
    events = [event(n, "u", "j0", kind, when) for n, kind in enumerate(kinds)]
    world = World([user("u")], [{"job_id": "j0", "opened_at": at(FIRST, 0)}], events)
    types = '[events]\nclick_types = ["click", "apply"]\nconversion_types = ["apply", "hire"]\n'
    columns = "user_impressions_28d, user_clicks_28d, user_conversions_28d"
    setting = configured(tmp_path, types, FIRST)
    assert rows_of(setting, world, DayRange.of(DAY), USER_FEATURES, columns) == [(1, 3, 3)]


INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("begins", "counts"),
    [
        (at(DAY, 0) - INSTANT, {"users": True, "jobs": True}),
        (at(DAY, 0), {"users": False, "jobs": True}),
        (at(DAY, 0) + INSTANT, {"users": False, "jobs": False}),
    ],
)
def test_a_value_is_frequent_by_those_who_had_joined_and_what_had_opened(
    begins: datetime, counts: dict[str, bool], tmp_path: Path
) -> None:
    # Two values are kept: `often`, and `now` or `before`, whichever more of them have.
    values = ["often"] * 4 + ["before"] * 2 + ["now"] * 3
    starts = {"often": at(FIRST, 0), "before": at(FIRST, 0), "now": begins}
    users = [
        {"user_id": f"u{n}", "created_at": starts[value], "region": value}
        for n, value in enumerate(values)
    ]
    jobs = [
        {"job_id": f"j{n}", "opened_at": starts[value], "region": value}
        for n, value in enumerate(values)
    ]
    setting = configured(tmp_path, "[features]\nmax_categories = 2\n", FIRST)
    world = World(users, jobs, [])
    regions = {
        "users": rows_of(setting, world, DayRange.of(DAY), USER_FEATURES, "user_region"),
        "jobs": rows_of(setting, world, DayRange.of(DAY), JOB_FEATURES, "job_region"),
    }
    kept = {table: ("before",) not in rows for table, rows in regions.items()}
    assert kept == counts
