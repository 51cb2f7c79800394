"""Who is eligible, which jobs are candidates, and what the cap keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conversion_platform.inference import candidate_query
from conversion_platform.lake import Session
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.inference.marketplace import DAY, LONG_AGO, event, write_sources

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake import Lake

YESTERDAY = "2026-03-09 15:00:00+00"
JUST_BEFORE = "2026-03-10 03:59:59+00"
DAY_STARTS = "2026-03-10 04:00:00+00"
BOSTON = {"latitude": 42.36, "longitude": -71.06}
WORCESTER = {"latitude": 42.26, "longitude": -71.80}
MIAMI = {"latitude": 25.76, "longitude": -80.19}


def configured(tmp_path: Path, **predictions: Any) -> Settings:
    file = tmp_path / "conversion_platform.toml"
    lines = [f"{key} = {value!r}" for key, value in predictions.items()]
    file.write_text("[predictions]\n" + "\n".join(lines) + "\n")
    return load_settings(file)


def pairs(session: Session) -> set[tuple[str, str]]:
    rows = session.con.execute(candidate_query(session, DAY)).fetchall()
    assert {dt for _, _, dt in rows} <= {DAY}
    assert len(rows) == len({(user, job) for user, job, _ in rows}), "a pair came twice"
    return {(user, job) for user, job, _ in rows}


@pytest.mark.parametrize(
    ("user", "eligible"),
    [
        ({}, True),
        ({"created_at": DAY_STARTS}, False),
        ({"created_at": JUST_BEFORE}, True),
        ({"left_at": JUST_BEFORE}, False),
        ({"left_at": DAY_STARTS}, False),
        ({"left_at": "2026-03-10 04:00:01+00"}, True),
    ],
)
def test_a_user_is_eligible_from_joining_until_leaving(
    session: Session, user: dict[str, str], eligible: bool
) -> None:
    write_sources(
        session, [{"user_id": "u", **user}], [{"job_id": "j"}], [event("u", "j", YESTERDAY)]
    )
    assert pairs(session) == ({("u", "j")} if eligible else set())


@pytest.mark.parametrize(
    ("job", "is_open"),
    [
        ({}, True),
        ({"opened_at": "2026-03-10 04:00:01+00"}, False),
        ({"opened_at": DAY_STARTS}, True),
        ({"closed_at": DAY_STARTS}, False),
        ({"closed_at": "2026-03-10 04:00:01+00"}, True),
    ],
)
def test_a_job_is_a_candidate_while_it_is_open(
    session: Session, job: dict[str, str], is_open: bool
) -> None:
    write_sources(
        session, [{"user_id": "u"}], [{"job_id": "j", **job}], [event("u", "j", YESTERDAY)]
    )
    assert pairs(session) == ({("u", "j")} if is_open else set())


@pytest.mark.parametrize(
    ("at", "recorded", "eligible"),
    [
        ("2026-01-09 05:00:00+00", None, True),  # the first instant of the 60 days
        ("2026-01-09 04:59:59+00", None, False),
        (JUST_BEFORE, None, True),
        (DAY_STARTS, None, False),
        (YESTERDAY, DAY_STARTS, False),  # happened in time, but nobody knew yet
    ],
)
def test_an_event_counts_once_it_has_happened_and_been_recorded(
    session: Session, at: str, recorded: str | None, eligible: bool
) -> None:
    happened = event("u", "j", at, recorded_at=recorded or at)
    write_sources(session, [{"user_id": "u"}], [{"job_id": "j"}], [happened])
    assert bool(pairs(session)) is eligible


def test_someone_who_just_joined_needs_no_event(session: Session) -> None:
    users = [{"user_id": "new", "created_at": YESTERDAY}, {"user_id": "asleep"}]
    write_sources(session, users, [{"job_id": "j"}], [])
    assert pairs(session) == {("new", "j")}


USERS = [
    {"user_id": "region", "region": "boston", **MIAMI},
    {"user_id": "place", **BOSTON},
    {"user_id": "nothing"},
]
JOBS = [
    {"job_id": "boston", "region": "boston", **BOSTON},
    {"job_id": "miami", "region": "miami", **MIAMI},
    {"job_id": "worcester", **WORCESTER},
    {"job_id": "remote"},
]
EVERY = {(user["user_id"], job["job_id"]) for user in USERS for job in JOBS}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("all", EVERY),
        ("auto", EVERY - {("region", "miami"), ("region", "worcester"), ("place", "miami")}),
        ("region", EVERY - {("region", "miami")}),
        (
            "distance",
            EVERY - {("region", "boston"), ("region", "worcester"), ("place", "miami")},
        ),
    ],
)
def test_what_is_missing_never_excludes_a_pair(
    session: Session,
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    tmp_path: Path,
    rule: str,
    expected: set[Any],
) -> None:
    fresh = [{"created_at": YESTERDAY, **user} for user in USERS]
    write_sources(session, fresh, JOBS, [])
    assert pairs(Session(configured(tmp_path, candidates=rule), lake, con)) == expected


def test_the_cap_keeps_the_jobs_that_were_popular_by_then_without_our_messages(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, tmp_path: Path
) -> None:
    jobs = [{"job_id": name} for name in ("a", "b", "c", "d")]
    events = [
        event("u", "d", YESTERDAY),
        event("u", "c", YESTERDAY, event_type="application"),
        event("u", "c", "2026-03-08 15:00:00+00"),
        event("u", "b", YESTERDAY, event_type="impression"),
        event("u", "a", "2026-03-11 15:00:00+00"),
        event("u", "a", YESTERDAY, recorded_at="2026-03-11 15:00:00+00"),
        event("u", "a", "2026-02-01 15:00:00+00"),
        *(event("u", "a", YESTERDAY, channel="text") for _ in range(3)),
    ]
    write_sources(session, [{"user_id": "u"}], jobs, events)
    kept = [
        {job for _, job in pairs(Session(configured(tmp_path, max_candidates=cap), lake, con))}
        for cap in (1, 2, 3, 4)
    ]
    assert kept == [{"c"}, {"c", "d"}, {"a", "c", "d"}, {"a", "b", "c", "d"}]


def test_nobody_and_nothing_give_no_pairs(session: Session) -> None:
    write_sources(session, [], [], [])
    assert pairs(session) == set()


def test_someone_created_long_ago_is_eligible_by_an_impression_alone(session: Session) -> None:
    shown = event("u", "j", YESTERDAY, event_type="impression")
    write_sources(session, [{"user_id": "u", "created_at": LONG_AGO}], [{"job_id": "j"}], [shown])
    assert pairs(session) == {("u", "j")}
