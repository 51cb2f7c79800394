"""The macros of `lake/point_in_time.sql` against the same rules in plain Python."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conversion_platform.days import ONE_DAY, day_of, day_start
from conversion_platform.lake import Lake, LocalStorage, Session
from conversion_platform_tests.zones import ZONES, days_around_changes

INSTANT = timedelta(microseconds=1)
NEAR = st.sampled_from([-ONE_DAY, -INSTANT, timedelta(0), INSTANT, ONE_DAY]) | st.timedeltas(
    -3 * ONE_DAY, 3 * ONE_DAY
)
PLACES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
EARTH_KM = 6371.0088


@pytest.fixture(scope="module")
def macros(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection of a lake; its macros need no table."""
    with Lake(LocalStorage(tmp_path_factory.mktemp("lake"))).connect() as con:
        yield con


def value(con: duckdb.DuckDBPyConnection, expression: str, *values: object) -> object:
    (row,) = con.execute(f"SELECT {expression}", values).fetchall()
    return row[0]


@given(st.sampled_from(ZONES), st.data(), NEAR, st.none() | NEAR)
def test_an_event_is_known_before_a_day_if_it_became_known_on_an_earlier_one(
    macros: duckdb.DuckDBPyConnection,
    zone: str,
    data: st.DataObject,
    happened: timedelta,
    noted: timedelta | None,
) -> None:
    day = data.draw(days_around_changes(zone))
    as_of = day_start(day, zone)
    occurred = as_of + happened
    recorded = None if noted is None else as_of + noted
    known = max(occurred, recorded or occurred)
    assert value(macros, "known_before(?, ?, ?)", occurred, recorded, as_of) == (known < as_of)
    known_on = value(macros, "known_on(?, ?, ?)", occurred, recorded, zone)
    assert known_on == day_of(known, zone)
    assert (known_on < day) == (known < as_of)


@given(st.sampled_from(ZONES), st.data(), NEAR, st.none() | NEAR)
def test_somebody_is_there_after_a_start_and_a_job_is_open_from_it_until_the_moment_of_the_end(
    macros: duckdb.DuckDBPyConnection,
    zone: str,
    data: st.DataObject,
    began: timedelta,
    ended: timedelta | None,
) -> None:
    as_of = day_start(data.draw(days_around_changes(zone)), zone)
    start = as_of + began
    end = None if ended is None else as_of + ended
    stays = end is None or end > as_of
    assert value(macros, "is_present(?, ?, ?)", start, end, as_of) == (start < as_of and stays)
    assert value(macros, "is_open(?, ?, ?)", start, end, as_of) == (start <= as_of and stays)


def haversine(north: float, east: float, north_2: float, east_2: float) -> float:
    a, b, c, d = map(math.radians, (north, east, north_2, east_2))
    half = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


@given(PLACES, PLACES)
@example((0.0, 0.0), (0.0, 180.0))
@example((1.0, 0.0), (-1.0, 180.0))
@example((42.36, -71.06), (42.36, -71.06))
def test_the_distance_of_two_places_is_that_on_a_sphere(
    macros: duckdb.DuckDBPyConnection, here: tuple[float, float], there: tuple[float, float]
) -> None:
    found = value(macros, "distance_km(?, ?, ?, ?)", *here, *there)
    # Near antipodes the last bit of the sine is worth metres.
    assert found == pytest.approx(haversine(*here, *there), rel=1e-9, abs=0.01)


@pytest.mark.parametrize("missing", range(4))
def test_the_distance_to_a_place_that_is_not_known_is_not_known(
    macros: duckdb.DuckDBPyConnection, missing: int
) -> None:
    places: list[float | None] = [42.36, -71.06, 42.26, -71.80]
    assert value(macros, "distance_km(?, ?, ?, ?)", *places) == pytest.approx(61.9, abs=0.1)
    places[missing] = None
    assert value(macros, "distance_km(?, ?, ?, ?)", *places) is None


def test_a_cursor_knows_the_macros(session: Session) -> None:
    moment = datetime.fromisoformat("2026-03-08 00:00:00-05:00")
    with session.cursor() as cursor:
        known = "known_on(?, NULL, 'America/New_York')"
        assert value(cursor.con, known, moment) == date(2026, 3, 8)
