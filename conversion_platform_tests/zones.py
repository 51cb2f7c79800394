"""Time zones in which days begin and end in unusual ways, and the days on which they do."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st

from conversion_platform.days import ONE_DAY, day_start

ZONES = (
    "UTC",
    "America/New_York",
    "America/Santiago",  # the clock changes at midnight: one day has no 00:00
    "Africa/Cairo",  # the same, and the other way round
    "America/St_Johns",  # -03:30
    "Asia/Kolkata",  # +05:30, never changes
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Apia",  # +13:00
)
YEAR = [date(2025, 1, 1) + timedelta(days=n) for n in range(365)]


def days_around_changes(zone: str) -> st.SearchStrategy[date]:
    """Days that are not 24 hours long, those beside them, and any others of 2025."""
    lengths = {day: day_start(day + ONE_DAY, zone) - day_start(day, zone) for day in YEAR}
    changes = [day for day in YEAR if lengths[day] != ONE_DAY]
    beside = {day + n * ONE_DAY for day in changes for n in (-1, 0, 1)}
    ordinary = st.sampled_from(YEAR)
    return st.sampled_from(sorted(beside)) | ordinary if beside else ordinary
