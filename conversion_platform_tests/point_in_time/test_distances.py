"""Features, candidates and messages measure the same distance."""

from __future__ import annotations

import math
import tempfile
from datetime import date
from pathlib import Path

from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from conversion_platform.applications.job_of_the_day import JOB_OF_THE_DAY
from conversion_platform.days import DayRange
from conversion_platform.features import build_features, feature_spec, pair_query
from conversion_platform.inference import candidate_query
from conversion_platform.lake import Session, open_session
from conversion_platform.messaging import open_ledger, plan_messages
from conversion_platform.settings import load_settings
from conversion_platform_tests.features.world import World, at, fill
from conversion_platform_tests.inference.marketplace import rows_query
from conversion_platform_tests.messaging.world import phone

DAY = date(2026, 3, 10)
EARTH_KM = 6371.0088
LIMIT_KM = 700
TOML = """
[platform]
start_date = 2026-03-09
clock = "replay"
[predictions]
candidates = "distance"
[features]
max_distance_km = {limit}
[cohorts.all]
template = "{{{{ distance_km }}}} km. Reply STOP to opt out."
"""
Place = tuple[float | None, float | None]
Distances = dict[tuple[str, str], float | None]
coordinates = st.floats(-90, 90) | st.floats(40, 44) | st.sampled_from([0.0, 90.0, -90.0])
places = st.tuples(st.none() | coordinates, st.none() | coordinates)


def kilometres(here: Place, there: Place) -> float | None:
    """The angle between two unit vectors, times the earth's radius."""
    if None in (*here, *there):
        return None
    (x, y, z), (a, b, c) = _vector(here), _vector(there)
    across = math.dist((0, 0, 0), (y * c - z * b, z * a - x * c, x * b - y * a))
    return EARTH_KM * math.atan2(across, x * a + y * b + z * c)


def _vector(place: Place) -> tuple[float, float, float]:
    north, east = (math.radians(angle or 0.0) for angle in place)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)


def in_features(session: Session) -> Distances:
    every = (
        f"(SELECT user_id, job_id, DATE '{DAY}' AS dt "
        "FROM world_users CROSS JOIN world_jobs)"  # the rows that `fill` has registered
    )
    query = pair_query(session, feature_spec(session), every, DayRange.of(DAY))
    rows = session.con.execute(f"SELECT user_id, job_id, distance_km FROM ({query})").fetchall()
    return {(user, job): distance for user, job, distance in rows}


def candidates(session: Session) -> set[tuple[str, str]]:
    rows = session.con.execute(candidate_query(session, DAY)).fetchall()
    return {(user, job) for user, job, _ in rows}


def in_messages(session: Session, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    rows = [
        {
            "assignment_id": user,
            "user_id": user,
            "job_id": job,
            "cohort": "all",
            "arm": "treatment",
            "send_at": at(DAY, 12),
        }
        for user, job in pairs
    ]
    query = f"SELECT * EXCLUDE (dt) FROM ({rows_query(JOB_OF_THE_DAY, rows)})"
    session.lake.write(session.con, JOB_OF_THE_DAY, query, DAY)
    with open_ledger(session.settings) as ledger:
        plan_messages(session, ledger, DAY)
        found = ledger.rows("SELECT user_id, job_id, body FROM messages WHERE body IS NOT NULL")
        return {(row["user_id"], row["job_id"]): int(row["body"].split()[0]) for row in found}


@hypothesis_settings(max_examples=10, phases=(Phase.explicit, Phase.generate))
@given(st.lists(places, min_size=4, max_size=8), st.lists(places, min_size=4, max_size=8))
def test_all_measure_the_same_distance(users: list[Place], jobs: list[Place]) -> None:
    there = {f"u{n}": place for n, place in enumerate(users)}
    offered = {f"j{n}": place for n, place in enumerate(jobs)}
    expected = {(u, j): kilometres(there[u], offered[j]) for u in there for j in offered}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "conversion_platform.toml"
        file.write_text(TOML.format(limit=LIMIT_KM))
        with open_session(load_settings(file)) as session:
            fill(session, _world(there, offered), DayRange.of(DAY).widened(before=1))
            build_features(session, DayRange.of(DAY))
            found, near = in_features(session), candidates(session)
            told = in_messages(session, list(zip(there, offered, strict=False)))
    for pair, distance in expected.items():
        if distance is None:
            assert found[pair] is None
            assert pair in near
            assert pair not in told
            continue
        seen = found[pair]
        assert seen is not None
        assert math.isclose(seen, min(distance, LIMIT_KM), rel_tol=1e-6, abs_tol=0.01)
        if abs(distance - LIMIT_KM) > 0.01:
            assert (pair in near) == (distance < LIMIT_KM)
        if pair in told:
            assert abs(told[pair] - distance) < 0.51
    assert len(told) == sum(
        expected[pair] is not None for pair in zip(there, offered, strict=False)
    )


def _world(users: dict[str, Place], jobs: dict[str, Place]) -> World:
    joined = at(DAY, -10)
    people = [
        {
            "user_id": name,
            "created_at": joined,
            "latitude": place[0],
            "longitude": place[1],
            "phone": phone(number),
            "time_zone": "America/New_York",
            "state": "NY",
            "consent_at": joined,
            "consent_source": "web form",
            "consent_text": "I agree.",
        }
        for number, (name, place) in enumerate(users.items())
    ]
    offers = [
        {
            "job_id": name,
            "opened_at": joined,
            "latitude": place[0],
            "longitude": place[1],
            "title": "Cook",
        }
        for name, place in jobs.items()
    ]
    return World(people, offers, [], [])
