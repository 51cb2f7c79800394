"""Calendar days in a time zone, daylight saving included."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion_platform.days import DayRange, at_local_time, counted, day_of, day_start
from conversion_platform.errors import SettingsError

DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
ZONES = st.sampled_from(
    ["America/New_York", "UTC", "Asia/Kolkata", "Pacific/Auckland", "America/St_Johns"]
)


@given(first=DAYS, length=st.integers(0, 400))
def test_a_range_holds_each_of_its_days_once_in_order(first: date, length: int) -> None:
    days = DayRange(first, first + timedelta(length))
    assert list(days) == sorted(set(days))
    assert len(list(days)) == len(days) == length + 1
    assert all(day in days for day in days)
    assert days.first - timedelta(1) not in days
    assert days.last + timedelta(1) not in days
    assert DayRange.spanning(list(days)) == days


@given(first=DAYS, before=st.integers(0, 50), after=st.integers(0, 50))
def test_widening_adds_days_on_each_side(first: date, before: int, after: int) -> None:
    wide = DayRange.of(first).widened(before, after)
    assert len(wide) == 1 + before + after
    assert wide.first == first - timedelta(before)


@given(day=DAYS, length=st.integers(1, 100))
def test_the_days_before_a_day_end_with_the_one_before_it(day: date, length: int) -> None:
    before = DayRange.before(day, length)
    assert len(before) == length
    assert before.last == day - timedelta(1)


def test_a_range_that_ends_before_it_starts_says_what_to_give() -> None:
    with pytest.raises(SettingsError, match=r"ends \(2026-01-01\) before it starts \(2026-01-02\)"):
        DayRange(date(2026, 1, 2), date(2026, 1, 1))


def test_a_range_is_written_the_way_the_command_line_shows_it() -> None:
    assert str(DayRange.of(date(2026, 1, 2))) == "2026-01-02"
    assert str(DayRange(date(2026, 1, 2), date(2026, 1, 4))) == "2026-01-02..2026-01-04"


@given(day=DAYS, zone=ZONES)
def test_a_day_begins_where_the_day_before_ends(day: date, zone: str) -> None:
    start = day_start(day, zone)
    assert start.tzinfo is UTC
    assert day_of(start, zone) == day
    assert day_of(start - timedelta(microseconds=1), zone) == day - timedelta(1)


@given(day=DAYS, zone=ZONES, clock=st.times(time(4), time(23, 59)))
def test_a_local_time_falls_on_its_day(day: date, zone: str, clock: time) -> None:
    assert day_of(at_local_time(day, clock, zone), zone) == day


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 6, 1), 24)]
)
def test_days_of_the_clock_change_have_their_own_length(day: date, hours: int) -> None:
    zone = "America/New_York"
    assert day_start(day + timedelta(1), zone) - day_start(day, zone) == timedelta(hours=hours)


def test_ten_o_clock_is_another_instant_in_each_zone() -> None:
    day, clock = date(2026, 1, 15), time(10)
    assert at_local_time(day, clock, "America/New_York") == datetime(2026, 1, 15, 15, tzinfo=UTC)
    assert at_local_time(day, clock, "America/Los_Angeles") == datetime(2026, 1, 15, 18, tzinfo=UTC)


def test_one_day_is_counted_as_one_and_others_as_days() -> None:
    found = [counted(0), counted(1), counted(1200), counted(1, "matured day")]
    assert found == ["0 days", "1 day", "1,200 days", "1 matured day"]
